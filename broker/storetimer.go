package broker

import (
	"time"

	"github.com/lunemq/lunemq/broker/mqtt"
	"github.com/lunemq/lunemq/broker/store"
	"github.com/lunemq/lunemq/telemetry/alarm"
	"github.com/lunemq/lunemq/telemetry/metric"
)

// storeTimer is a store whose operations are timed, and whose failures raise
// an alarm. Safe for concurrent use.
type storeTimer struct {
	store.Store
	m      *metric.Broker
	alarms *alarm.List
}

// Commit implements store.Committer.
func (s storeTimer) Commit(b *store.Batch, done func(error)) {
	start, of, proof := time.Now(), &s.m.StorageDelete, false
	if puts(b) {
		of, proof = &s.m.StorageWrite, b.Sync
	}
	s.Store.Commit(b, func(err error) {
		took := time.Since(start)
		s.m.StoreCommit.Observe(took)
		of.Observe(took)
		switch {
		case err != nil:
			s.alarms.Raise(alarm.StoreFailing, "", err.Error())
		case proof: // it reached the disk
			s.alarms.Clear(alarm.StoreFailing, "")
		}
		done(err)
	})
}

// Refuses implements store.Committer: what is refused beforehand raises the
// alarm as a failed commit does.
func (s storeTimer) Refuses(grows bool) error {
	err := s.Store.Refuses(grows)
	if err != nil {
		s.alarms.Raise(alarm.StoreFailing, "", err.Error())
	}
	return err
}

// puts reports whether a batch stores something, not only deletes.
func puts(b *store.Batch) bool {
	for i := range b.Ops {
		switch b.Ops[i].Kind {
		case store.PutSession, store.Append, store.Assign, store.PutInbound, store.PutRetained:
			return true
		}
	}
	return false
}

// Queue implements store.Reader.
func (s storeTimer) Queue(key mqtt.SessionKey, after uint64, f func(store.Entry) bool) ([]uint16, error) {
	defer func(start time.Time) { s.m.StorageRead.Observe(time.Since(start)) }(time.Now())
	return s.Store.Queue(key, after, f)
}

// Sessions implements store.Reader.
func (s storeTimer) Sessions(f func(*store.Session) bool) error {
	defer func(start time.Time) { s.m.StorageScan.Observe(time.Since(start)) }(time.Now())
	return s.Store.Sessions(f)
}

// Retained implements store.Reader.
func (s storeTimer) Retained(f func(*mqtt.Message) bool) error {
	defer func(start time.Time) { s.m.StorageScan.Observe(time.Since(start)) }(time.Now())
	return s.Store.Retained(f)
}
