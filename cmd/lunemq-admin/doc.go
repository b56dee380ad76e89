// Command lunemq-admin runs the broker's admin commands: a thin client of its
// admin API, over the Unix socket or over HTTP with an API key. It knows no
// command itself; commands, help and tables come from the broker.
//
//	lunemq-admin [--socket PATH | --url URL --api-key KEY] WORD ... [key=value ...] [--flag=value ...]
//
// Exit status: 0 done, 1 the command failed or the broker cannot be reached, 2
// the call was malformed. Read first: run.go.
package main
