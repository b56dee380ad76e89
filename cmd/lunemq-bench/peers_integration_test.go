//go:build integration

package main

import (
	"bytes"
	"strings"
	"testing"
)

// TestIntegration_Peers runs one row of the table against real brokers.
func TestIntegration_Peers(t *testing.T) {
	t.Chdir("../..")
	var out, said bytes.Buffer
	args := []string{"peers", "--quick", "--rows", "50 pairs at 200/s", "--peers", "lunemq,lunemq-memory,mosquitto,relay"}
	if code := run(t.Context(), args, &out, &said); code != exitOK {
		t.Fatalf("exit %d\n%s\n%s", code, out.Bytes(), said.Bytes())
	}
	for _, want := range []string{"| 50 pairs at 200/s | CPU µs per message |", "lunemq-bench pair --pairs 50 --rate 200", "LuneMQ, memory"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in\n%s", want, out.String())
		}
	}
	if strings.Contains(out.String(), "lost,") {
		t.Errorf("losses:\n%s", out.String())
	}
}
