#!/bin/sh
# Installs rabbitmq-server from Debian's or Ubuntu's archive, as root, without starting or enabling its service,
# which would listen on port 5672 of every interface.
#
# Standard input ends when nobody waits for this any more. A download is then given up. What dpkg has begun it
# finishes, within seconds: a half-installed package would have to be mended by hand.
set -u
export DEBIAN_FRONTEND=noninteractive

begun='' gone='' job=''
# Ctrl-C reaches this script too where it shares a terminal, but standard input decides.
trap : INT TERM HUP
trap 'gone=yes; [ -n "$begun" ] || [ -z "$job" ] || kill "$job"' USR1
exec 3<&0
{ read -r _ <&3; kill -USR1 $$; } 2>/dev/null &
watch=$!

# Out of the terminal's reach, so that Ctrl-C can't stop dpkg midway.
run() {
  [ -z "$gone" ] || exit 130
  setsid "$@" </dev/null 3<&- &
  job=$!
  wait "$job"; status=$?
  # A trapped signal interrupts `wait`.
  while kill -0 "$job" 2>/dev/null; do wait "$job"; status=$?; done
  return $status
}

# The policy that a package's scripts ask before they start a service (invoke-rc.d(8)). Ours refuses these two for
# as long as this script lives, so that it does no harm even if it is left behind, and passes on all else.
policy=${POLICY_RC_D:-/usr/sbin/policy-rc.d}
saved=$policy.before-rabbitmq

deny() {
  allow
  [ ! -e "$policy" ] || mv "$policy" "$saved"
  cat >"$policy" <<POLICY
#!/bin/sh
case \$1 in rabbitmq-server*|epmd*) kill -0 $$ && exit 101 ;; esac
[ ! -x $saved ] || exec $saved "\$@"
POLICY
  chmod 755 "$policy"
}

allow() {
  if grep -qs "$saved" "$policy"; then rm "$policy"; fi
  [ ! -e "$saved" ] || mv "$saved" "$policy"
}

apt() { run apt-get -q -y --no-install-recommends -o DPkg::Lock::Timeout=60 "$@"; }

trap 'allow; kill $watch 2>/dev/null' EXIT
apt --download-only install rabbitmq-server || { apt update && apt --download-only install rabbitmq-server; } || exit
[ -z "$gone" ] || exit 130
begun=yes
deny
apt install rabbitmq-server || exit
# Not at the next boot either.
! command -v systemctl >/dev/null || systemctl --quiet disable rabbitmq-server
