package conn

// Jobs is how many subscriptions wait for their retained messages.
func (c *Conn) Jobs() int {
	defer c.unlock(c.lock())
	return len(c.jobs)
}
