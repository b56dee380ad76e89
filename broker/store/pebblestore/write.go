package pebblestore

import (
	"encoding/binary"
	"slices"
)

// remember keeps what the group has left for groups to come.
func (p *plan) remember() {
	if len(p.recent) > maxRecent {
		clear(p.recent)
	}
	for i := range p.entries {
		x := &p.entries[i]
		at := place{sid: x.at.sid, number: x.at.number}
		switch {
		case x.gone:
			delete(p.recent, at)
		case x.fresh || x.state:
			p.recent[at] = stored{x.mid, x.tracked}
		}
	}
}

// end writes what the group has become into its pebble.Batch.
func (p *plan) end() error {
	p.gone = p.gone[:0]
	for i := range p.entries {
		p.collect(&p.entries[i])
	}
	if err := p.deletions(); err != nil {
		return err
	}
	for i := range p.entries {
		if x := &p.entries[i]; !x.gone {
			if err := p.write(x); err != nil {
				return err
			}
		}
	}
	for name, k := range p.retained {
		p.key = appendName(p.key[:0], tagRetained, name)
		var err error
		if k.message == nil {
			err = p.b.Delete(p.key, nil)
		} else {
			p.scratch = appendRetained(p.scratch[:0], k.mid, k.message)
			err = p.b.Set(p.key, p.scratch, nil)
		}
		if err != nil {
			return err
		}
	}
	if err := p.share.write(p); err != nil {
		return err
	}
	p.remember()
	return p.ids.write(p)
}

// collect notes the keys of an entry that are to be deleted.
func (p *plan) collect(x *entry) {
	if x.disk == kindEnd || !x.gone && !x.fresh {
		return
	}
	p.gone = append(p.gone, place{x.at.sid, x.disk, x.at.number})
	if x.tracked || x.fresh {
		p.gone = append(p.gone, place{x.at.sid, kindState, x.at.number})
	}
}

// minRun is how many successive numbers are deleted as a range. A range costs
// readers of the same memtable more than a few single deletions do.
const minRun = 64

// deletions deletes the collected keys, runs of numbers as ranges.
func (p *plan) deletions() error {
	slices.SortFunc(p.gone, place.compare)
	for i := 0; i < len(p.gone); {
		first := p.gone[i]
		n := 1
		for i+n < len(p.gone) && p.gone[i+n] == (place{first.sid, first.kind, first.number + uint64(n)}) {
			n++
		}
		if n >= minRun {
			end := place{first.sid, first.kind, first.number + uint64(n)}
			if err := p.b.DeleteRange(first.append(nil), end.append(nil), nil); err != nil {
				return err
			}
		} else {
			for _, at := range p.gone[i : i+n] {
				p.key = at.append(p.key[:0])
				if err := p.b.Delete(p.key, nil); err != nil {
					return err
				}
			}
		}
		i += n
	}
	return nil
}

// write stores an entry that the group has appended or changed.
func (p *plan) write(x *entry) error {
	if x.state && !x.tracked {
		x.tracked = true
		if !x.fresh {
			if err := p.track(x); err != nil {
				return err
			}
		}
	}
	if x.fresh {
		p.key = x.at.append(p.key[:0])
		p.scratch = appendDelivery(p.scratch[:0], &x.item.Delivery, x.tracked)
		if x.mid != 0 {
			p.scratch = binary.AppendUvarint(p.scratch, x.mid)
		} else {
			p.scratch = appendMessage(p.scratch, x.item.Message)
		}
		if err := p.b.Set(p.key, p.scratch, nil); err != nil {
			return err
		}
	}
	if !x.state {
		return nil
	}
	p.key = place{x.at.sid, kindState, x.at.number}.append(p.key[:0])
	p.scratch = appendState(p.scratch[:0], x.item.PacketID, x.item.Released)
	return p.b.Set(p.key, p.scratch, nil)
}

// track rewrites an entry that is in flight although its QoS did not let
// expect it, so that its completion deletes the record of that too.
func (p *plan) track(x *entry) error {
	p.key = x.at.append(p.key[:0])
	v, c, err := p.db.Get(p.key)
	if err != nil {
		return err
	}
	p.scratch = append(p.scratch[:0], v...)
	p.scratch[1] |= delTracked
	c.Close()
	return p.b.Set(p.key, p.scratch, nil)
}
