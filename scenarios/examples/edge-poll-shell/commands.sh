# The worker: takes commands off queue/ in order and executes them one at a time. Sourced by agent.sh; update_snap is
# in update.sh.

work_for_ever() {
	while alive; do
		for _entry in "$STATE"/queue/*; do
			[ -e "$_entry" ] || continue
			alive || return
			execute "$_entry"
		done
		sleep 0.2
	done
}

# execute ENTRY: runs one command to its terminal ack. Sets ID, ITEM (tokens) and BEGAN for what it calls.
execute() {
	ENTRY=$1
	ID=${ENTRY##*.}
	ITEM=$ENTRY
	now
	BEGAN=$NOW
	if [ -e "$STATE/done/$ID" ]; then # killed between storing the result and leaving the queue
		hand_over
		return
	fi
	if ! well_formed; then
		reject invalid_payload "the item is not a valid command"
		return
	fi
	if [ ! -e "$STATE/started/$ID" ] && expired; then
		reject expired "not started before its expiry time"
		return
	fi
	member "$ITEM" '$.command'
	log info "executing $ID"
	case $VALUE in
	restart_service) restart_service ;;
	run_discovery) run_discovery ;;
	config_update) config_update ;;
	update_snap) update_snap ;;
	*) reject unsupported_command "this agent does not know the command" ;;
	esac
}

well_formed() {
	! grep -q "${TAB}D$TAB" "$ITEM" || return 1
	member "$ITEM" '$.command' && [ "$TYPE" = s ] || return 1
	member "$ITEM" '$.payload' && [ "$TYPE" = o ] || return 1
	member "$ITEM" '$.expires_at' || return 0
	[ "$TYPE" = z ] && return 0
	[ "$TYPE" = s ] && instant "$VALUE"
}

# instant TEXT: sets INSTANT, seconds since 1970, from an RFC 3339 time.
instant() {
	case $1 in
	*[!0-9TZ:.+-]*) return 1 ;;
	[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]T[0-9][0-9]:[0-9][0-9]:[0-9][0-9]*) ;;
	*) return 1 ;;
	esac
	INSTANT=$(date -u -d "$1" +%s 2>/dev/null)
}

expired() {
	member "$ITEM" '$.expires_at' && [ "$TYPE" = s ] && instant "$VALUE" && [ "$(date +%s)" -ge "$INSTANT" ]
}

# ---------------------------------------------------------------- results

completed() { finish completed '' '' "$1"; }
failed() { finish failed "$1" "$2" "${3:-}"; }

# After in_progress a command can no longer be rejected, only fail.
reject() {
	_status=rejected
	[ ! -e "$STATE/started/$ID.busy" ] || _status=failed
	finish "$_status" "$1" "$2" "${3:-}"
}

# finish STATUS CODE MESSAGE DETAILS: stores the result, hands it to the sender, leaves the queue; in this order, so
# that the command is neither forgotten nor executed again if the agent dies in between.
finish() {
	alive || exit 0
	timestamp
	_body="{\"status\":\"$1\""
	[ -z "$2" ] || _body="$_body,\"error_code\":\"$2\""
	[ -z "$3" ] || _body="$_body,\"message\":\"$3\""
	[ -z "$4" ] || _body="$_body,\"details\":$4"
	put "$STATE/done/$ID" "$_body,\"timestamp\":\"$TIMESTAMP\"}"
	log info "$ID $1 $2"
	hand_over
}

hand_over() {
	send ack "/commands/$ID/ack" "$(cat "$STATE/done/$ID")"
	rm -f "$ENTRY" "$STATE/started/$ID" "$STATE/started/$ID.busy"
	forget_old_results
}

# send KIND PATH BODY: puts a message behind all others.
send() {
	next_number out
	put "$STATE/outbox/$(printf %010d $((NUMBER + 1000))).$1.$ID" "$2
$3"
}

# Says in_progress, once, when the command has taken longer than two intervals.
say_if_slow() {
	[ ! -e "$STATE/started/$ID.busy" ] || return
	now
	read_interval
	[ $((NOW - BEGAN)) -lt $((2 * T)) ] || say_busy
}

say_busy() {
	put "$STATE/started/$ID.busy" yes
	timestamp
	send ack "/commands/$ID/ack" "{\"status\":\"in_progress\",\"timestamp\":\"$TIMESTAMP\"}"
}

# Keeps the newest 2000 results.
forget_old_results() {
	[ $((NUMBER % 100)) -eq 0 ] || return
	ls -t "$STATE/done" | tail -n +2001 | while read -r _old; do rm -f "$STATE/done/$_old"; done
}

# ---------------------------------------------------------------- restart_service

# A service is a folder; starting it writes active_since and counts up starts. A file start_delay (seconds) makes it
# slow. The agent's own service is started by the agent's own start.
restart_service() {
	if ! member "$ITEM" '$.payload.service' || [ "$TYPE" != s ]; then
		reject invalid_payload "service must be a string"
		return
	fi
	_service=$VALUE
	case " $SERVICES " in
	*" $_service "*) ;;
	*) _service= ;;
	esac
	case $_service in
	'' | *[!A-Za-z0-9@._-]*)
		reject unknown_service "no such service here"
		return
		;;
	esac
	_folder=$STATE/services/$_service
	_starts=0
	{ read -r _starts <"$_folder/starts"; } 2>/dev/null
	if [ -e "$STATE/started/$ID" ]; then
		read -r _before <"$STATE/started/$ID"
	else
		_before=$_starts
		put "$STATE/started/$ID" "$_before"
		[ "$_service" != "$OWN_SERVICE" ] || say_busy
	fi
	if [ "$_starts" -le "$_before" ]; then # not restarted yet; otherwise the agent died after the restart
		if [ "$_service" = "$OWN_SERVICE" ]; then
			restart_self
			return
		fi
		_delay=0
		{ read -r _delay <"$_folder/start_delay"; } 2>/dev/null
		if [ "$_delay" -ge 60 ]; then
			failed service_not_active "the service did not become active within 60 s"
			return
		fi
		_until=$((BEGAN + _delay * 100))
		while now && [ "$NOW" -lt "$_until" ]; do
			alive || exit 0
			say_if_slow
			sleep 0.2
		done
		alive || exit 0
		count_start "$_folder"
	fi
	read -r _since <"$_folder/active_since"
	completed "{\"service\":\"$_service\",\"active_since\":\"$_since\"}"
}

# Lets in_progress go out first, then asks the main process to start afresh; the ack comes from the next life.
restart_self() {
	_patience=50
	while [ "$_patience" -gt 0 ] && exists "$STATE"/outbox/*."$ID"; do
		_patience=$((_patience - 1))
		sleep 0.2
	done
	alive || exit 0
	kill -USR1 "$MAIN"
	sleep 60
	exit 0
}

# ---------------------------------------------------------------- run_discovery

# Counts the hosts the kernel already knows in the subnet. With HIL_DISCOVERY_PROBE=yes it first tries a TCP connection
# to each address of an IPv4 subnet, 32 at a time, so that the kernel gets to know them.
run_discovery() {
	if ! member "$ITEM" '$.payload.subnet' || [ "$TYPE" != s ]; then
		reject invalid_payload "subnet must be a string"
		return
	fi
	_subnet=$VALUE
	case $_subnet in *[!0-9A-Fa-f:./]*) _subnet=bad ;; esac
	_range=$(subnet_range "$_subnet") || {
		reject invalid_subnet "not a private subnet of a size this agent accepts"
		return
	}
	setting discovery_enabled
	if [ "$VALUE" = false ]; then
		reject unsupported_command "discovery is switched off"
		return
	fi
	put "$STATE/started/$ID" "0"
	if [ "${HIL_DISCOVERY_PROBE:-no}" = yes ] && [ "$_range" != six ]; then
		probe_range $_range
	fi
	_found=0
	if [ "$_range" != six ]; then
		_found=$(awk -v range="$_range" '
			BEGIN { split(range, edge, " ") }
			NR > 1 && $4 != "00:00:00:00:00:00" {
				split($1, o, ".")
				n = ((o[1] * 256 + o[2]) * 256 + o[3]) * 256 + o[4]
				if (n >= edge[1] + 0 && n <= edge[2] + 0) found++
			}
			END { print found + 0 }' /proc/net/arp 2>/dev/null)
	fi
	completed "{\"subnet\":\"$_subnet\",\"hosts_found\":${_found:-0}}"
}

# subnet_range CIDR: prints the first and last address as numbers, or "six"; false if the subnet is not acceptable:
# IPv4 /16../32 or IPv6 /112../128, private or link-local.
subnet_range() {
	awk -v subnet="$1" '
		function refuse() { exit 1 }
		BEGIN {
			if (split(subnet, part, "/") != 2 || part[2] !~ /^(0|[1-9][0-9]?[0-9]?)$/) refuse()
			bits = part[2] + 0
			if (index(part[1], ":")) six(part[1]); else four(part[1])
			exit 0
		}
		function four(text,  o, n, k, size) {
			if (bits < 16 || bits > 32 || text !~ /^[0-9.]+$/ || split(text, o, ".") != 4) refuse()
			n = 0
			for (k = 1; k <= 4; k++) {
				if (o[k] !~ /^(0|[1-9][0-9]?[0-9]?)$/ || o[k] + 0 > 255) refuse()
				n = n * 256 + o[k]
			}
			if (!(o[1] == 10 || (o[1] == 172 && o[2] >= 16 && o[2] <= 31) || (o[1] == 192 && o[2] == 168) ||
				(o[1] == 169 && o[2] == 254))) refuse()
			size = 2 ^ (32 - bits)
			n -= n % size
			printf "%.0f %.0f\n", n, n + size - 1
		}
		function six(text,  g, n, k, empty) {
			if (bits < 112 || bits > 128 || text ~ /[^0-9A-Fa-f:]/ || text ~ /:::/ || text ~ /::.*::/) refuse()
			n = split(text, g, ":")
			empty = 0
			for (k = 1; k <= n; k++) {
				if (length(g[k]) > 4) refuse()
				if (g[k] == "") empty++
			}
			if (n > 8 || (n < 8 && text !~ /::/) || (n == 8 && empty)) refuse()
			if (text ~ /^:/ || (text ~ /:$/ && text !~ /::$/)) refuse()
			g[1] = tolower(g[1])
			if (!(g[1] ~ /^f[cd]..$/ || g[1] ~ /^fe[89ab].$/)) refuse()
			print "six"
		}'
}

# probe_range FIRST LAST
probe_range() {
	_address=$1
	while [ "$_address" -le "$2" ]; do
		alive || exit 0
		_batch=0
		while [ "$_batch" -lt 32 ] && [ "$_address" -le "$2" ]; do
			_dotted=$((_address >> 24)).$((_address >> 16 & 255)).$((_address >> 8 & 255)).$((_address & 255))
			bounded_curl --connect-timeout 0.3 --max-time 0.5 -o /dev/null "http://$_dotted:9/" 2>/dev/null &
			_address=$((_address + 1)) _batch=$((_batch + 1))
		done
		wait
		say_if_slow
	done
}

# ---------------------------------------------------------------- config_update

# RFC 7396 on a flat object of three keys: all of it or nothing; null returns a key to its default.
config_update() {
	_verdict=$(awk -F "$TAB" '
		FNR == NR {
			k = index($0, "=")
			if (k) old[substr($0, 1, k - 1)] = substr($0, k + 1)
			next
		}
		$1 ~ /^\$\.payload\.[^.]+$/ {
			key = substr($1, 11)
			if (key == "poll_interval_s") good = $2 == "z" || ($2 == "n" && $3 ~ /^[1-9][0-9]*$/ && length($3) < 6 && $3 <= 86400)
			else if (key == "log_level") good = $2 == "z" || ($2 == "s" && $3 ~ /^(error|warn|info|debug)$/)
			else if (key == "discovery_enabled") good = $2 == "z" || $2 == "b"
			else good = 0
			if (!good) bad = bad (bad == "" ? "" : ",") "\"" substr(key, 1, 64) "\""
			now[key] = $2 == "z" ? "" : $3
		}
		END {
			if (bad != "") { print "bad"; print "[" bad "]"; exit }
			n = split("discovery_enabled log_level poll_interval_s", known, " ")
			for (k = 1; k <= n; k++) {
				key = known[k]
				if (key in now && now[key] != old[key]) {
					changed = changed (changed == "" ? "" : ",") "\"" key "\""
					old[key] = now[key]
				}
				if (old[key] != "") lines = lines key "=" old[key] "\n"
			}
			print "good"
			print "[" changed "]"
			printf "%s", lines
		}' "$STATE/config" "$ITEM")
	_list=$(printf '%s\n' "$_verdict" | sed -n 2p)
	case $_verdict in
	good*)
		put "$STATE/config" "$(printf '%s\n' "$_verdict" | tail -n +3)"
		completed "{\"changed\":$_list}"
		;;
	*) reject invalid_config "a key is unknown or its value is not allowed" "{\"keys\":$_list}" ;;
	esac
}
