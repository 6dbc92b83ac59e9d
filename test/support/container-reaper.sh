# Removes a compose project with all it stored when the process that started it is gone, however it ended (also kill -9).
# Standard input is a pipe from that process: it says `up` when everything has been created; the end of the pipe is its end.
# Ends with 0 when nothing of the project is left.
# $1  the project

state=starting
while read -r word; do state=$word; done

down() { docker compose --project-name "$1" down --volumes --remove-orphans --timeout 0; }
left() { docker ps --all --quiet --filter "label=com.docker.compose.project=$1"; }

down "$1"
# Its `docker compose up` may outlive a process that was killed, for as long as it has nothing to print.
if [ "$state" != up ]; then
  for _ in 1 2 3; do
    sleep 1
    down "$1"
  done
fi
# An engine that does not answer proves nothing.
remains=$(left "$1") && [ -z "$remains" ]
