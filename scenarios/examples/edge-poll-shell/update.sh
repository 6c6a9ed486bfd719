# update_snap: finds, downloads, verifies and applies one snap version, or goes back. Sourced by agent.sh.
#
# The file snaps/<name>/version names the version that runs; replacing it is the one instant of change. The content of
# a version is snaps/<name>/content-<version>. started/<id> remembers how far the command has come.

HEALTH_LIMIT=${HIL_HEALTH_LIMIT:-20}
MOST_ATTEMPTS=4
MOST_REDIRECTS=5

update_snap() {
	PERMITTED=no WANTED_SUM=
	if ! read_order; then
		reject invalid_payload "snap_name, version, checksum or allow_downgrade is missing or malformed"
		return
	fi
	FOLDER=$STATE/snaps/$SNAP
	mkdir -p "$FOLDER"
	read_version "$SNAP"
	FROM=$VERSION
	if [ -e "$STATE/started/$ID" ]; then
		read -r STEP ATTEMPT FROM SUM <"$STATE/started/$ID"
		[ "$FROM" != - ] || FROM=
	else
		STEP=fetch SUM=-
		ATTEMPT=att-$(od -An -N8 -tx1 /dev/urandom | tr -d ' \n')
		if [ "$VERSION" = "$TO" ]; then
			report already_installed
			completed "$(update_details true)"
			return
		fi
		remember fetch -
	fi
	if [ "$STEP" = fetch ]; then
		fetch_and_verify || return
	fi
	if [ "$STEP" != back ]; then
		install_verified || return
	fi
	go_back
}

# Sets SNAP, TO, PERMITTED and WANTED_SUM from the payload.
read_order() {
	member "$ITEM" '$.payload.snap_name' && [ "$TYPE" = s ] && valid_snap_name "$VALUE" || return 1
	SNAP=$VALUE
	member "$ITEM" '$.payload.version' && [ "$TYPE" = s ] && valid_version "$VALUE" || return 1
	TO=$VALUE
	if member "$ITEM" '$.payload.allow_downgrade'; then
		[ "$TYPE" = b ] || return 1
		[ "$VALUE" = false ] || PERMITTED=yes
	fi
	if member "$ITEM" '$.payload.checksum'; then
		[ "$TYPE" = s ] || return 1
		WANTED_SUM=$VALUE
	fi
}

valid_snap_name() {
	case $1 in '' | -* | *- | *--* | *[!a-z0-9-]*) return 1 ;; esac
	case $1 in *[a-z]*) [ "${#1}" -le 40 ] ;; *) return 1 ;; esac
}

valid_version() {
	case $1 in '' | [!A-Za-z0-9]* | *[!A-Za-z0-9] | *[!A-Za-z0-9.+~:-]*) return 1 ;; esac
	[ "${#1}" -le 32 ]
}

remember() {
	put "$STATE/started/$ID" "$1 $ATTEMPT ${FROM:--} $2"
}

# ---------------------------------------------------------------- reports

# report STATUS [CODE MESSAGE]: each status once per attempt.
report() {
	grep -qx "$ATTEMPT $1" "$STATE/reported" 2>/dev/null && return
	timestamp
	_report="{\"snap_name\":\"$SNAP\",\"version\":\"$TO\",\"status\":\"$1\",\"attempt_id\":\"$ATTEMPT\",\"command_id\":\"$ID\""
	[ -z "$FROM" ] || _report="$_report,\"previous_version\":\"$FROM\""
	[ -z "${2:-}" ] || _report="$_report,\"error_code\":\"$2\",\"message\":\"$3\""
	send report /snaps/status "$_report,\"timestamp\":\"$TIMESTAMP\"}"
	{
		tail -n 200 "$STATE/reported" 2>/dev/null
		echo "$ATTEMPT $1"
	} >"$RUN/reported"
	mv "$RUN/reported" "$STATE/reported"
}

# Ends the attempt: the report first, then the ack.
give_up() {
	rm -f "$STATE/download/"*
	report failure "$1" "$2"
	failed "$1" "$2"
}

update_details() {
	_from=null
	[ -z "$FROM" ] || _from="\"$FROM\""
	printf '{"from_version":%s,"to_version":"%s","already_installed":%s}' "$_from" "$TO" "$1"
}

# ---------------------------------------------------------------- finding the version

fetch_and_verify() {
	REFRESHED=no
	resolve || return 1
	if [ "$(order "$TO" "$FROM")" = older ] && [ "$PERMITTED" = no ]; then
		report failure downgrade_refused "older than the running version"
		reject downgrade_refused "older than the running version"
		return 1
	fi
	if ! usable_sum "$SUM" || { [ -n "$WANTED_SUM" ] && ! usable_sum "$WANTED_SUM"; }; then
		give_up checksum_unsupported "only sha256 with 64 hex digits is accepted"
		return 1
	fi
	SUM=$(printf %s "$SUM" | tr A-F a-f)
	if [ -n "$WANTED_SUM" ] && [ "$(printf %s "$WANTED_SUM" | tr A-F a-f)" != "$SUM" ]; then
		give_up checksum_mismatch "commanded and offered checksum differ"
		return 1
	fi
	if ! enough_space; then
		give_up no_space "not enough storage for twice the size"
		return 1
	fi
	report downloading
	download || return 1
	report verifying
	if [ "sha256:$(sha256sum <"$PART" | cut -d ' ' -f 1)" != "$SUM" ]; then
		give_up checksum_mismatch "the SHA-256 of the downloaded file is another"
		return 1
	fi
	alive || exit 0
	sync "$PART" && mv "$PART" "$FOLDER/content-$TO"
	rm -f "$STATE/download/"*
	remember install "$SUM"
}

# Asks for the commanded version; sets URL, SUM and SIZE.
resolve() {
	_failures=0
	while :; do
		while ! allowed; do
			alive || exit 0
			sleep 0.2
		done
		alive || exit 0
		api GET /snaps/latest "$RUN/latest" -G --data-urlencode "snap_name=$SNAP" --data-urlencode "version=$TO" \
			--data-urlencode "current_version=${FROM:-none}"
		case $CODE in
		200) break ;;
		401 | 403) ;; # keep the command until the key is valid again
		000 | 408 | 425 | 429 | 500 | 502 | 503 | 504)
			if [ "$_failures" -ge 5 ]; then
				give_up download_failed "the cloud did not say where the version is"
				return 1
			fi
			;;
		*)
			give_up version_unavailable "the cloud does not offer this version"
			return 1
			;;
		esac
		_failures=$((_failures + 1))
		pause_after "$_failures"
	done
	_tokens=$RUN/latest.tokens
	if ! awk -f "$HERE/json.awk" "$RUN/latest" >"$_tokens" 2>/dev/null || grep -q "${TAB}D$TAB" "$_tokens"; then
		give_up download_failed "the answer about the version is malformed"
		return 1
	fi
	if ! member "$_tokens" '$.version' || [ "$TYPE" != s ] || [ "$VALUE" != "$TO" ] ||
		{ member "$_tokens" '$.snap_name' && [ "$VALUE" != "$SNAP" ]; }; then
		give_up version_unavailable "the cloud offers another version"
		return 1
	fi
	URL= SUM=none SIZE=
	member "$_tokens" '$.download_url' && [ "$TYPE" = s ] && URL=$VALUE
	member "$_tokens" '$.checksum' && [ "$TYPE" = s ] && SUM=$VALUE
	member "$_tokens" '$.size' && [ "$TYPE" = n ] && SIZE=$VALUE
	member "$_tokens" '$.allow_downgrade' && [ "$TYPE" = b ] && [ "$VALUE" = true ] && PERMITTED=yes
	case $SIZE in *[!0-9]*) SIZE=0 ;; esac
	return 0
}

pause_after() {
	backoff "$1"
	now
	_pause_end=$((NOW + GAP))
	while now && [ "$NOW" -lt "$_pause_end" ]; do
		alive || exit 0
		say_if_slow
		sleep 0.2
	done
}

usable_sum() {
	case $1 in sha256:*) ;; *) return 1 ;; esac
	case ${1#sha256:} in *[!0-9A-Fa-f]*) return 1 ;; esac
	[ "${#1}" -eq 71 ]
}

enough_space() {
	[ "${#SIZE}" -le 15 ] || return 1
	_free=$(df -Pk "$STATE" | awk 'NR == 2 { print $4 }')
	[ $((${SIZE:-0} * 2 / 1024)) -lt "${_free:-0}" ]
}

# order A B: prints older, newer or same by SemVer 2.0 precedence, or unknown if either is no SemVer version.
order() {
	awk -v a="$1" -v b="$2" '
		function split_version(v, part,  core, k) {
			sub(/\+.*/, "", v)
			part["pre"] = ""
			k = index(v, "-")
			if (k) { part["pre"] = substr(v, k + 1); v = substr(v, 1, k - 1); if (part["pre"] == "") return 0 }
			if (split(v, core, ".") != 3) return 0
			for (k = 1; k <= 3; k++) {
				if (core[k] !~ /^(0|[1-9][0-9]*)$/) return 0
				part[k] = core[k]
			}
			return 1
		}
		function numbers(x, y) { # as text, of any length
			if (length(x) != length(y)) return length(x) < length(y) ? -1 : 1
			return x "" < y "" ? -1 : x "" > y ""
		}
		function prereleases(x, y,  p, q, n, m, k, r, xn, yn) {
			if (x == y) return 0
			if (x == "") return 1
			if (y == "") return -1
			n = split(x, p, "."); m = split(y, q, ".")
			for (k = 1; k <= n && k <= m; k++) {
				xn = p[k] ~ /^[0-9]+$/; yn = q[k] ~ /^[0-9]+$/
				if (xn && yn) r = numbers(p[k], q[k])
				else if (xn != yn) r = xn ? -1 : 1
				else r = p[k] "" < q[k] "" ? -1 : p[k] "" > q[k] ""
				if (r) return r
			}
			return n < m ? -1 : n > m
		}
		BEGIN {
			if (!split_version(a, x) || !split_version(b, y)) { print "unknown"; exit }
			for (k = 1; k <= 3 && !r; k++) r = numbers(x[k], y[k])
			if (!r) r = prereleases(x["pre"], y["pre"])
			print (r < 0 ? "older" : (r > 0 ? "newer" : "same"))
		}'
}

# ---------------------------------------------------------------- download

# Fetches URL into PART; resumes with Range and If-Range; false when the attempt was given up.
download() {
	PART=$STATE/download/$ID.part
	_tag_file=$PART.tag
	_attempt=0 _short=no
	while :; do
		_attempt=$((_attempt + 1))
		follow
		case $DONE in
		whole)
			_have=$(size_of "$PART")
			[ -n "$SIZE" ] || SIZE=$_have
			[ "$_have" -ne "$SIZE" ] || return 0
			if [ "$_have" -gt "$SIZE" ] || [ "$_short" = yes ]; then
				give_up size_mismatch "$_have bytes instead of $SIZE"
				return 1
			fi
			_short=yes # a body cut short without a length: once more from the start
			rm -f "$PART" "$_tag_file"
			;;
		broken) ;;
		no_space)
			give_up no_space "the storage is full"
			return 1
			;;
		too_big)
			give_up size_mismatch "more bytes than announced"
			return 1
			;;
		gone_stale)
			if [ "$REFRESHED" = yes ]; then
				give_up download_failed "the download address was refused twice"
				return 1
			fi
			REFRESHED=yes
			_kept_sum=$SUM
			resolve || return 1
			if [ "$(printf %s "$SUM" | tr A-F a-f)" != "$_kept_sum" ]; then
				give_up checksum_mismatch "the checksum changed meanwhile"
				return 1
			fi
			SUM=$_kept_sum
			;;
		*)
			give_up download_failed "$DONE"
			return 1
			;;
		esac
		if [ "$_attempt" -ge "$MOST_ATTEMPTS" ]; then
			give_up download_failed "the download broke off $MOST_ATTEMPTS times"
			return 1
		fi
		pause_after "$_attempt"
	done
}

# One GET with its redirects; sets DONE: whole, broken (worth a retry), gone_stale, no_space, too_big or a reason.
follow() {
	_url=$URL _seen=' ' _hops=0
	while :; do
		DONE="the download address is not acceptable"
		acceptable "$_url" || return
		get_once "$_url"
		case $_code in
		200 | 206) take_body; return ;;
		301 | 302 | 303 | 307 | 308)
			_hops=$((_hops + 1))
			_seen="$_seen$_url "
			DONE="too many redirects"
			[ "$_hops" -le "$MOST_REDIRECTS" ] || return
			resolve_location "$(header "$RUN/part.head" Location)"
			case $_seen in *" $_url "*) DONE="redirected in a circle"; return ;; esac
			;;
		416)
			rm -f "$PART" "$_tag_file"
			DONE=broken
			return
			;;
		401 | 403) DONE=gone_stale; return ;;
		000)
			DONE=broken
			[ "$_exit" -ne 153 ] || DONE=too_big # stopped by the file size limit
			case $_exit in 35 | 51 | 58 | 60 | 77 | 83 | 90 | 91) DONE="the server could not be trusted" ;; esac
			return
			;;
		408 | 425 | 429 | 500 | 502 | 503 | 504) DONE=broken; return ;;
		*) DONE="the download was answered $_code"; return ;;
		esac
	done
}

# Absolute, without user name; http only in the lab, and never on a way that began with https.
acceptable() {
	case $1 in
	https://*) ;;
	http://*) [ "$LAB" = yes ] || return 1 ;;
	*) return 1 ;;
	esac
	case $1 in *[!!-~]* | *\\*) return 1 ;; esac
	_rest=${1#*://}
	_rest=${_rest%%[/?#]*}
	case $_rest in '' | *@*) return 1 ;; esac
	case $URL in https://*) case $1 in http://*) return 1 ;; esac ;; esac
	return 0
}

origin() {
	_scheme=${1%%://*}
	_rest=${1#*://}
	_rest=$(printf %s "${_rest%%[/?#]*}" | tr A-Z a-z)
	case $_scheme in http) _rest=${_rest%:80} ;; https) _rest=${_rest%:443} ;; esac
	printf '%s://%s' "$_scheme" "$_rest"
}

resolve_location() {
	case $1 in
	http://* | https://*) _url=$1 ;;
	//*) _url=${_url%%://*}:$1 ;;
	/*) _rest=${_url#*://} _url=${_url%%://*}://${_rest%%[/?#]*}$1 ;;
	*) _url=relative ;;
	esac
}

# One request without redirects, run beside the worker so that it can watch it; sets _code and _exit.
get_once() {
	_get=$1
	rm -f "$RUN/part" "$RUN/part.head" "$RUN/part.code" "$RUN/part.exit"
	set --
	[ "$(origin "$_get")" != "$(origin "$API/")" ] || set -- -H "@$KEY_HEADER"
	if [ -s "$PART" ] && [ -s "$_tag_file" ]; then
		set -- "$@" -H "Range: bytes=$(size_of "$PART")-" -H "If-Range: $(cat "$_tag_file")"
	else
		rm -f "$PART" "$_tag_file"
	fi
	(
		ulimit -c 0
		ulimit -f $((${SIZE:-1073741824} / 512 + 2))
		bounded_curl --max-time 1800 --speed-limit 1 --speed-time 60 -o "$RUN/part" -D "$RUN/part.head" \
			-w '%{http_code}' "$@" "$_get" >"$RUN/part.code" 2>/dev/null &
		trap "kill $! 2>/dev/null" TERM
		wait $!
		echo $? >"$RUN/part.exit"
	) &
	_getter=$!
	trap 'kill "$_getter" 2>/dev/null; exit 0' TERM
	until [ -s "$RUN/part.exit" ]; do
		alive || { kill "$_getter" 2>/dev/null; exit 0; }
		say_if_slow
		sleep 0.1
	done
	wait "$_getter"
	trap - TERM
	read -r _exit <"$RUN/part.exit"
	_code=$(cat "$RUN/part.code")
	[ -n "$_code" ] || _code=000
}

# Joins what came with what was there; decides whether it was everything.
take_body() {
	[ -e "$RUN/part" ] || : >"$RUN/part"
	if [ "$_code" = 206 ]; then
		case $(header "$RUN/part.head" Content-Range) in
		"bytes $(size_of "$PART")-"*) ;;
		*)
			rm -f "$PART" "$_tag_file"
			DONE=broken
			return
			;;
		esac
		cat "$RUN/part" >>"$PART" || { DONE=no_space; return; }
	else
		mv "$RUN/part" "$PART"
		rm -f "$_tag_file"
		_tag=$(header "$RUN/part.head" ETag)
		case $_tag in \"*\") printf '%s\n' "$_tag" >"$_tag_file" ;; esac
	fi
	rm -f "$RUN/part"
	DONE=broken
	case $_exit in
	0) DONE=whole ;;
	23 | 27) DONE=no_space ;;
	esac
	[ "$_exit" -eq 0 ] || [ -z "$SIZE" ] || [ "$(size_of "$PART")" -le "$SIZE" ] || DONE=too_big
}

size_of() {
	if [ -e "$1" ]; then stat -c %s "$1"; else echo 0; fi
}

# ---------------------------------------------------------------- apply

# From here the content on disk is the verified one; also entered again after a power cut. True when it is to be undone.
install_verified() {
	read_version "$SNAP"
	if [ "$VERSION" != "$TO" ]; then
		if [ "sha256:$(sha256sum <"$FOLDER/content-$TO" | cut -d ' ' -f 1)" != "$SUM" ]; then
			give_up install_failed "the verified file is no longer intact"
			return 1
		fi
		report installing
		alive || exit 0
		if ! put "$FOLDER/version" "$TO"; then
			give_up no_space "the storage is full"
			return 1
		fi
	fi
	count_start "$FOLDER"
	healthy "$FOLDER/content-$TO" || return 0
	for _old in "$FOLDER"/content-*; do
		[ "$_old" = "$FOLDER/content-$TO" ] || rm -f "$_old"
	done
	report success
	completed "$(update_details false)"
	return 1
}

go_back() {
	log warn "$SNAP $TO is not healthy, going back"
	remember back "$SUM"
	if [ -n "$FROM" ]; then put "$FOLDER/version" "$FROM"; else rm -f "$FOLDER/version"; fi
	rm -f "$FOLDER/content-$TO"
	[ -z "$FROM" ] || count_start "$FOLDER"
	report rolled_back rolled_back "the health check failed"
	failed rolled_back "the health check failed" "$(update_details false)"
}

# A snap whose first line is "crash" does not start; one whose first line is "hang" or "mute" never says it is well.
healthy() {
	case $(head -c 64 "$1" | head -n 1 | tr -d '\000\r') in
	crash) return 1 ;;
	hang | mute)
		now
		_deadline=$((NOW + HEALTH_LIMIT * 100))
		while now && [ "$NOW" -lt "$_deadline" ]; do
			alive || exit 0
			say_if_slow
			sleep 0.2
		done
		return 1
		;;
	esac
}
