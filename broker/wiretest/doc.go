// Package wiretest runs text scripts of MQTT packets against a broker whose
// network and clock are simulated, and compares what every client received
// with what the script records.
//
// A script is a file in the manner of datadriven tests. It opens with a
// paragraph of comments, then come directives, then blocks:
//
//	# What is shown. [MQTT-3.3.1-5]
//
//	versions 5.0
//	config max_inflight_messages=1
//
//	connect a clean=0 expiry=100
//	subscribe a t:1
//	----
//	a <- CONNACK session=0
//	a <- SUBACK id=1 codes=1
//
// A block is some commands, a line of dashes and what came of them: by client
// in the order of their first appearance, each client's packets in order. What
// differs between versions stands in one part per version, "---- 3.1.1". Each
// script runs for 3.1.1 and 5.0 unless it says otherwise. A command behind
// "5.0:" runs for that version only; one behind "&" is sent in one piece with
// the command before it.
//
// The command runs in a testing/synctest bubble: after each command the broker
// comes to rest before its output is gathered, and only "advance" moves time.
// When a script ends, every message and copy must be accounted for.
//
// Read first: script.go, run.go, command.go.
package wiretest
