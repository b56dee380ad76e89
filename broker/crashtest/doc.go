// Package crashtest publishes to a broker that is killed again and again, and
// says afterwards what was lost, doubled or out of order.
//
// Checker is the judge and knows no network; Run drives publishers and
// subscribers through the restarts of a Target. Both are shown, by planted
// faults, to notice what they are there for.
// Read first: checker.go, then run.go.
package crashtest
