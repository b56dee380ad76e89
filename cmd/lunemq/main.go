// Command lunemq is the broker: serve, check, config, passwd, version.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	reload := make(chan os.Signal, 1)
	signal.Notify(reload, syscall.SIGHUP)
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	code := run(ctx, reload, process{args: os.Args[1:], stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr, env: os.Environ()})
	stop()
	os.Exit(code)
}
