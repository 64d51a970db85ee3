# The local stack's watchdog: ends the processes of the stack if the stack itself dies.
# It reads "add GROUP SIGNAL" and "del GROUP" from its stdin; the end of the input is the stack's end.
trap '' HUP INT QUIT TERM PIPE TSTP TTIN TTOU
groups=
while read -r verb group signal; do
	case $verb in
	add) groups="$groups $group:$signal" ;;
	del)
		kept=
		for g in $groups; do
			[ "${g%:*}" = "$group" ] || kept="$kept $g"
		done
		groups=$kept
		;;
	esac
done

# dash knows no "--" behind a signal: "kill -2 -GROUP" is understood by every sh.
for g in $groups; do
	kill -"${g#*:}" -"${g%:*}" 2>/dev/null
	kill -CONT -"${g%:*}" 2>/dev/null # what is stopped hears of the signal only then
done
tries=50
while [ -n "$groups" ] && [ $tries -gt 0 ]; do
	tries=$((tries - 1))
	alive=
	for g in $groups; do
		kill -0 -"${g%:*}" 2>/dev/null && alive="$alive $g"
	done
	groups=$alive
	[ -z "$groups" ] || sleep 0.1 2>/dev/null || sleep 1
done
for g in $groups; do
	kill -KILL -"${g%:*}" 2>/dev/null
done
exit 0
