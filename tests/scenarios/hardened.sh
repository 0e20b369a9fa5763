# A booted machine after the agent's own work on it, AIDE's database included, which is built in the background.
"$LAB/agent" apply --tier strict --yes > "$LAB/apply.txt" 2>&1 || [ $? -eq 2 ]
while systemctl --quiet is-active trempe-aide-init.service; do sleep 2; done
