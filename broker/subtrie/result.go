package subtrie

import (
	"sync/atomic"

	"github.com/lunemq/lunemq/broker/mqtt"
)

// Match is one subscription that matches a topic name. Immutable.
type Match[S comparable] struct {
	Subscriber S
	Options    Options
}

// Members are the subscriptions of a share group at one moment, in no
// particular order. Immutable; valid as long as it is held.
type Members[S comparable] struct {
	all *chunks[Match[S]]
}

// Len returns the number of members, at least 1 in a Group.
func (m Members[S]) Len() int { return m.all.len() }

// At returns member i, 0 <= i < Len(), in O(log Len) steps.
func (m Members[S]) At(i int) Match[S] { return m.all.at(i) }

// Group is one shared subscription that matches a topic name: of its members
// one gets the message. A group is told apart by share name and filter.
//
// Spec: MQTT 5.0 §4.8.2.
type Group[S comparable] struct {
	Share   *mqtt.Share // the same pointer as long as the group has members
	Members Members[S]
	// Next is the group's round robin cursor, shared by all who match it; the
	// table never touches it.
	Next *atomic.Uint64
}

// Result gathers what matches a topic name. Owned by one goroutine; its slices
// are used again after Reset.
type Result[S comparable] struct {
	Plain  []Match[S]
	Groups []Group[S]
	// Filters counts the distinct filters that contributed to Plain. With 1 no
	// subscriber occurs twice.
	Filters int

	todo []visit[S] // of Match; empty between calls
}

// keepMatches is how many matches a result keeps room for when a message with
// fewer follows one with more.
const keepMatches = 4096

// Reset empties r. Slices taken from it are invalid afterwards, Members stay
// valid.
func (r *Result[S]) Reset() {
	if cap(r.Plain) > keepMatches && len(r.Plain) < keepMatches {
		r.Plain = nil
	}
	if cap(r.Groups) > keepMatches && len(r.Groups) < keepMatches {
		r.Groups = nil
	}
	if cap(r.todo) > keepMatches {
		r.todo = nil
	}
	clear(r.Plain)
	clear(r.Groups)
	r.Plain, r.Groups, r.Filters = r.Plain[:0], r.Groups[:0], 0
}
