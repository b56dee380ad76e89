// Package admin holds the administration commands of the broker as values:
// what they are called, which arguments and flags they take, what they answer.
//
// An owner offers its commands (func Commands(d Deps) []admin.Command), the
// composer adds them to one Registry, and everything an operator sees is
// derived from it: command line, help, completion, HTTP API, web page. The
// words, flags and columns are those of vmq-admin.
//
// The package knows no HTTP and no MQTT. It also keeps the API keys
// (Keys), because they are made and listed by commands.
// Read first: command.go.
package admin
