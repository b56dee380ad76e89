//go:build !linux

package epoll

import "github.com/lunemq/lunemq/broker/engine"

// New returns o.Other: there is no epoll on this system.
func New(o Options) engine.Engine { return o.Other }
