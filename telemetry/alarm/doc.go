// Package alarm holds the one list of what is wrong at this moment and needs
// an operator: owners of a fault raise and clear, outlets (the log, the admin
// command, metrics) read or are told.
//
// What may be raised is one table, in catalogue.go; a fault that no entry
// stands for cannot be raised. The package knows nothing of brokers.
//
// Read first: list.go.
package alarm
