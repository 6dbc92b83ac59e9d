# Ends the servers of a stack when the process that started them is gone, however it ended (also kill -9).
# Standard input is a pipe from that process: it says `add PID` and `drop PID`; the end of the pipe is its end.
# $1  seconds between asking and killing
# $2  a folder to remove at the end, or nothing

grace=$1
folder=$2
pids=' '

while read -r word pid; do
  case $word in
    add) pids="$pids$pid " ;;
    drop) case $pids in *" $pid "*) pids="${pids%%" $pid "*} ${pids#*" $pid "}" ;; esac ;;
  esac
done

alive() {
  for pid in $pids; do
    # Killed but not yet waited for is dead.
    if kill -0 "$pid" 2>/dev/null && ! grep -q '^State:[[:space:]]*Z' "/proc/$pid/status" 2>/dev/null; then return 0; fi
  done
  return 1
}

# A frozen process gets the question only when it goes on.
for pid in $pids; do kill -TERM "$pid"; kill -CONT "$pid"; done 2>/dev/null
waited=0
while alive && [ "$waited" -lt "$((grace * 5))" ]; do
  sleep 0.2
  waited=$((waited + 1))
done
for pid in $pids; do kill -KILL "$pid"; done 2>/dev/null
if [ -n "$folder" ]; then rm -rf "$folder"; fi
