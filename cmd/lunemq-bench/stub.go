package main

import (
	"context"
	"io"
)

func serveRelay(ctx context.Context, args []string, stdout io.Writer) error           { return nil }
func comparePeers(ctx context.Context, args []string, stdout, stderr io.Writer) error { return nil }
