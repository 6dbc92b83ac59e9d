#!/bin/sh
# As the official image: options or a file mean redis-server, which does not run as root, and answers other hosts.
set -e
if [ "${1#-}" != "$1" ] || [ "${1%.conf}" != "$1" ]; then set -- redis-server "$@"; fi
if [ "$1" = 'redis-server' ] && [ "$(id -u)" = '0' ]; then
  chown -R redis:redis .
  exec setpriv --reuid=redis --regid=redis --clear-groups -- "$0" "$@" --protected-mode no
fi
umask 0077
exec "$@"
