package main

import (
	"context"
	"io"
)

func comparePeers(ctx context.Context, args []string, stdout, stderr io.Writer) error { return nil }
