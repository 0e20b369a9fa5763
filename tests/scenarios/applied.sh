# A machine after the agent's own work on it.
"$LAB/agent" apply --tier strict --yes > "$LAB/apply.txt" 2>&1 || [ $? = 2 ]
