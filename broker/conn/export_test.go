package conn

// Jobs is how many subscriptions wait for their retained messages.
func (c *Conn) Jobs() int {
	defer c.unlock(c.lock())
	return len(c.jobs)
}

// Waiting is how many bytes of output are encoded. For a caller without any
// client's lock but one of a connection that is not c's.
func (c *Conn) Waiting() int { return len(c.m.Output()) }
