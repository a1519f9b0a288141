#!/bin/sh
# Statistics of one column of a CSV table, in POSIX sh, awk and sort. Parameters come on standard input
# as one JSON document; messages go to standard output, one a line; what is said to people goes to
# standard error (descriptor 2: what the service gives cannot be opened as /dev/stderr).
set -eu
# A point for decimals, and bytes for characters, whatever the machine is set to.
export LC_ALL=C

say() { printf '%s\n' "$1"; }

refuse() {
  say "{\"problem\": {\"status\": 422, \"slug\": \"$1\", \"title\": \"$2\", \"detail\": \"$3\"}}"
  exit 0
}

# From JSON to files: the table with real lines, and the two titles. Each member of the object is a
# string, as the schema demands, so that strings can be taken one by one: name, value, name, value.
cat > parameters.json
awk '
  { text = text $0 "\n" }
  # Writes the string that begins at `at` to a file; leaves `at` behind it.
  function copy(file,   window, end, c) {
    printf "" > file
    for (at++; ; ) {
      window = substr(text, at, 8192)
      end = match(window, /["\\]/) ? RSTART : length(window) + 1
      printf "%s", substr(window, 1, end - 1) > file
      at += end - 1
      if (end > length(window)) continue
      if (substr(text, at++, 1) == "\"") break
      c = substr(text, at++, 1)
      if (c == "n") c = "\n"
      else if (c == "t") c = "\t"
      else if (c == "r") c = ""
      else if (c == "u") { at += 4; c = "?" }
      printf "%s", c > file
    }
    close(file)
  }
  END {
    for (at = 1; at <= length(text); at++) {
      if (substr(text, at, 1) != "\"") continue
      name = substr(text, at + 1, 20)
      name = substr(name, 1, index(name, "\"") - 1)
      at += length(name) + 2
      at += index(substr(text, at, 20), "\"") - 1
      copy(name)
    }
  }' parameters.json
rows=$(($(grep -c . csv) - 1))
echo "table of $rows rows" >&2
say "{\"progress\": 20, \"message\": \"Read $rows rows\"}"

# Value and weight of each sample, one a line; without a value: the word missing.
touch weights
awk -F, -v column="$(cat column)" -v weights="$(cat weights)" '
  { sub(/\r$/, "") }
  NR == 1 {
    for (i = 1; i <= NF; i++) { if ($i == column) v = i; if ($i == weights) w = i }
    if (!v || (weights != "" && !w)) { exit 3 }
    next
  }
  /^$/ { next }
  $v !~ /^[ ]*[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?[ ]*$/ { print "missing"; next }
  w && !($w > 0) { print "missing"; next }
  { print $v + 0, w ? $w + 0 : 1 }' csv > samples ||
  refuse no-such-column "The table has no such column." \
    "Its first line must have the titles that column and weights name, separated by commas."
missing=$(grep -c missing samples || true)
grep -v missing samples | sort -g > sorted || true
[ -s sorted ] || refuse no-values "The column has no values." \
  "No row has a number in it, and a length above zero if weights are asked for."
say '{"progress": 60, "message": "Sorted"}'

awk -v missing="$missing" '
  { value[NR] = $1; weight[NR] = $2; total += $2; sum += $1 * $2 }
  # The smallest value at which the weight up to it reaches the share p.
  function quantile(p,   i, reached) {
    for (i = 1; i < NR; i++) { reached += weight[i]; if (reached >= p * total * (1 - 1e-12)) break }
    return value[i]
  }
  END {
    mean = sum / total
    for (i = 1; i <= NR; i++) squares += weight[i] * (value[i] - mean) ^ 2
    printf "{\"results\": {\"message\": \"%d samples, mean %.6g\", \"count\": %d, \"missing\": %d,", NR, mean, NR, missing
    printf " \"mean\": %.12g, \"deviation\": %.12g, \"quantiles\": {", mean, sqrt(squares / total)
    printf "\"min\": %.12g, \"q25\": %.12g, \"median\": %.12g,", value[1], quantile(0.25), quantile(0.5)
    printf " \"q75\": %.12g, \"p95\": %.12g, \"max\": %.12g}}}\n", quantile(0.75), quantile(0.95), value[NR]
  }' sorted
