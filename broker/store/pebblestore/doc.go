// Package pebblestore keeps durable sessions, their queues and retained
// messages on disk, in an embedded Pebble database.
//
// It knows nothing of connections, routing or the configuration file, and it
// never looks at what a message says.
//
// # Keys
//
// Integers in keys are 64 bits, big endian; a name is the length of the
// mountpoint as uvarint, the mountpoint, then the client identifier or topic.
//
//	!format, !ids, !clock      store format; reserved numbers; newest wall-clock stamp
//	s NAME                     record of a session, with its number
//	f NAME 0 1 SHARE FILTER    subscription of a session; in NAME each byte 0 is followed by 255
//	e SESSION 0 NUMBER         packet identifier and release of an entry in flight
//	e SESSION 1 PACKETID       inbound QoS 2 identifier
//	e SESSION 2 NUMBER         entry with its message inside
//	e SESSION 3 NUMBER         entry that refers to a shared message
//	m MESSAGE, n MESSAGE       shared message with its first count; its count since that changed
//	r NAME                     retained message, inside or as reference
//	z SESSION                  deleted session whose references are to be given back
//
// A session that is deleted and made again has a new number, so that nothing
// old can appear in it and deletion is one range tombstone. Its subscriptions,
// in the order of the sessions so that both are read in one pass, are another.
//
// Format 1 kept the subscriptions in the session's record; Open moves them.
//
// # Messages are stored once
//
// A message that one Batch gives to a single place lies inside its entry. A
// message that the Batch gives to several (the same *mqtt.Message in several
// Append or PutRetained) is one shared record with an exact count. Every
// change of a count is in the same commit as the entry that causes it, and an
// entry gives its reference back only if it is there: no crash can leave a
// count wrong, none is ever recomputed, and the message is deleted in the
// commit that takes the last reference. Entries that refer to shared messages
// are given back in slices after DeleteSession; the mark z survives a crash.
//
// # Commits
//
// One goroutine, the committer, owns all numbers and counts. It takes whatever
// batches wait, computes what they change together (a message that was
// appended and completed meanwhile is not written at all), applies that as one
// write, and takes the next while a second goroutine waits for the disk and
// calls the done functions, in the order of Commit. Commit waits only when
// more than Options.MaxWaiting bytes are ahead of it, for the committer and
// never for a done function, so that done may commit.
//
// With Options.Sync off nothing is synced. Batches still go through the log
// in order: kill -9 loses what the system had not been given yet, at most the
// last few milliseconds; loss of power up to everything of the last half
// minute or so. What is lost is always the newest, never part of a batch.
//
// # Failure
//
// After a failed write or sync, or when something unreadable is met, the store
// is failed: every commit in progress and every later one gets that error.
// Only opening it again tells what the batches in progress became. A directory
// that is damaged, locked, or written by a newer version is refused at Open
// with the reason.
//
// Read first: commit.go, then plan.go and write.go.
package pebblestore
