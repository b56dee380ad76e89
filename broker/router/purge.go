package router

import (
	"time"

	"github.com/lunemq/lunemq/broker/mqtt"
	"github.com/lunemq/lunemq/broker/retain"
	"github.com/lunemq/lunemq/broker/store"
)

// purgePage is how many retained messages are removed in one commit.
const purgePage = 256

// PurgeExpired removes the retained messages that have expired at now, from st
// as well, and returns their number. They are not sent from their time on in
// any case.
//
// Spec: MQTT 5.0 §3.3.2.3.3.
func (r *Router) PurgeExpired(now time.Time, st store.Committer, done func(error)) (n int) {
	var page []*mqtt.Message
	var cursor retain.Cursor
	for more := true; more; {
		page, cursor, more = r.retained.Expired(now, cursor, purgePage, page[:0])
		var b store.Batch
		for _, m := range page {
			if r.retained.DeleteIf(m) {
				b.Add(store.Op{Kind: store.DropRetained, Message: m})
				n++
			}
		}
		if !b.Empty() {
			b.Submit(st, done)
		}
	}
	return n
}
