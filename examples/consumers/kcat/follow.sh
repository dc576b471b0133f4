#!/bin/sh
# Every event of one process, or of all: when, which, of what, and its data.
#
#   follow.sh BROKERS [PROCESS] [TOPIC]      what there is, then it ends
#   follow.sh BROKERS '' baton.cluster       of another topic
#
# The line to remember: kcat -C -b BROKERS -t baton.process -f '%k %h %s\n'
# (%k the key: the process; %h the headers: ce_id, ce_type, ce_sequence, …; %s the data).
set -eu
brokers=${1:?Give the brokers: host:port}
process=${2:-}
topic=${3:-baton.process}
kcat -C -q -e -b "$brokers" -t "$topic" -o beginning -f '%k\t%h\t%s\n' | awk -F '\t' -v process="$process" '
  process != "" && $1 != process { next }
  {
    split($2, headers, ",")
    for (name in attribute) delete attribute[name]
    for (i in headers) {
      at = index(headers[i], "=")
      attribute[substr(headers[i], 1, at - 1)] = substr(headers[i], at + 1)
    }
    if (seen[attribute["ce_id"]]++) next # a repetition
    print $1, attribute["ce_sequence"], attribute["ce_time"], attribute["ce_type"], attribute["ce_id"], $3
  }'
