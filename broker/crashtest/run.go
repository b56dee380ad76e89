package crashtest

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"
)

// Target is a broker that can be killed and started again with what it has on
// disk.
type Target interface {
	// Start starts the broker and returns its address.
	Start() (addr string, err error)
	// Kill ends it without a goodbye.
	Kill()
}

// Plan says how long and how hard to try.
type Plan struct {
	Rounds      int // kills
	Publishers  int
	Subscribers int
	Min, Max    time.Duration // life of the broker between two kills
	Drain       time.Duration // how long the last one has to deliver the rest
	Seed        uint64
	// CutOdds: of so many packets one ends with a lost connection, so that
	// answers are lost as well; every other time the client then stays away
	// until the broker's next life.
	CutOdds int
}

// Run publishes to t through its restarts and returns the judge. Publishers
// and subscribers are durable sessions that come back after each kill; half
// of the messages are QoS 1, half QoS 2.
func Run(t Target, p Plan) (*Checker, error) {
	check := NewChecker(p.Subscribers)
	chance := rand.New(rand.NewPCG(p.Seed, 1))
	var pubs []*publisher
	var subs []*subscriber
	for i := range p.Publishers {
		pubs = append(pubs, newPublisher(i, check, p.Seed, p.CutOdds))
	}
	for i := range p.Subscribers {
		subs = append(subs, &subscriber{index: i, check: check, inbound: map[uint16]bool{}, odds: p.CutOdds, chance: rand.New(rand.NewPCG(p.Seed, uint64(100+i)))})
	}
	for round := range p.Rounds + 1 {
		addr, err := t.Start()
		if err != nil {
			return nil, err
		}
		ctx, cancel := context.WithCancel(context.Background())
		life := p.Min + time.Duration(chance.Int64N(int64(p.Max-p.Min)+1))
		var all sync.WaitGroup
		for i, s := range subs {
			all.Go(func() {
				if round == 0 || round == p.Rounds || (round+i)%2 != 0 { // else it stays away, so that messages wait for it
					for s.run(ctx, addr, round == p.Rounds) {
					}
				}
			})
		}
		for _, x := range pubs {
			if round == 0 {
				x.waitFor = subs
			}
			all.Go(func() { x.run(ctx, addr, round == p.Rounds) })
		}
		if round < p.Rounds {
			time.Sleep(life)
		} else {
			drain(check, p.Drain)
		}
		t.Kill()
		cancel()
		all.Wait()
	}
	return check, nil
}

// drain waits until everything acknowledged has arrived and nothing more comes
// for a moment, so that repeats have their chance too.
func drain(check *Checker, limit time.Duration) {
	for end := time.Now().Add(limit); time.Now().Before(end); {
		time.Sleep(100 * time.Millisecond)
		if check.Missing() == 0 {
			break
		}
	}
	time.Sleep(300 * time.Millisecond)
}
