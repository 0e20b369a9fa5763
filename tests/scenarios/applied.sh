# A machine after the agent's own work on it.
if [ -d /run/systemd/system ]; then # AIDE's database is built in the background
    "$LAB/agent" apply --tier strict --yes > "$LAB/apply.txt" 2>&1 || [ $? -eq 2 ]
    while systemctl --quiet is-active trempe-aide-init.service; do sleep 2; done
else # from outside: in a tree nothing runs, and the kernel is somebody else's; without packages some rules end in error
    mkdir /run/machine
    mount --bind / /run/machine
    "$LAB/agent" apply --root /run/machine --tier strict --yes > "$LAB/apply.txt" 2>&1 || grep ' fixed ' "$LAB/apply.txt"
fi
