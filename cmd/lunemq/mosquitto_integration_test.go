//go:build integration

package main

import (
	"bufio"
	"bytes"
	"fmt"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// mosquittoSub starts mosquitto_sub and waits until it has subscribed; lines
// gives what it prints.
func mosquittoSub(t *testing.T, port string, args ...string) (lines <-chan string) {
	t.Helper()
	args = append([]string{"-oL", tool(t, "mosquitto_sub"), "-d", "-h", "127.0.0.1", "-p", port}, args...)
	cmd := exec.Command(tool(t, "stdbuf"), args...) // line by line, also into a pipe
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	all, subscribed := make(chan string, 1000), make(chan struct{})
	go func() {
		defer close(all)
		for s := bufio.NewScanner(out); s.Scan(); {
			switch line := s.Text(); {
			case strings.HasPrefix(line, "Subscribed"):
				close(subscribed)
			case strings.HasPrefix(line, "Client "):
			default:
				all <- line
			}
		}
	}()
	select {
	case <-subscribed:
	case <-time.After(10 * time.Second):
		t.Fatal("mosquitto_sub did not subscribe")
	}
	return all
}

func mosquittoPub(t *testing.T, port string, args ...string) {
	t.Helper()
	var out bytes.Buffer
	cmd := exec.Command(tool(t, "mosquitto_pub"), append([]string{"-h", "127.0.0.1", "-p", port}, args...)...)
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Run(); err != nil {
		t.Fatalf("mosquitto_pub: %v: %s", err, &out)
	}
}

// next waits for one line.
func next(t *testing.T, lines <-chan string) string {
	t.Helper()
	select {
	case l, ok := <-lines:
		if !ok {
			t.Fatal("the subscriber has ended")
		}
		return l
	case <-time.After(10 * time.Second):
		t.Fatal("nothing arrived in 10 s")
	}
	return ""
}

func TestIntegration_Mosquitto(t *testing.T) {
	d := startDaemon(t, t.TempDir())
	port := d.port("tcp.default")
	for _, v := range []string{"mqttv31", "mqttv311", "mqttv5"} {
		t.Run(v, func(t *testing.T) {
			lines := mosquittoSub(t, port, "-V", v, "-q", "2", "-t", v+"/#", "-v")
			for q := range 3 {
				mosquittoPub(t, port, "-V", v, "-q", fmt.Sprint(q), "-t", fmt.Sprintf("%s/%d", v, q), "-m", "hello")
				if got, want := next(t, lines), fmt.Sprintf("%s/%d hello", v, q); got != want {
					t.Errorf("got %q, want %q", got, want)
				}
			}
			mosquittoPub(t, port, "-V", v, "-r", "-q", "1", "-t", "kept/"+v, "-m", "still here")
			late := mosquittoSub(t, port, "-V", v, "-q", "1", "-t", "kept/"+v)
			if got := next(t, late); got != "still here" {
				t.Errorf("retained: got %q", got)
			}
			mosquittoPub(t, port, "-V", v, "-t", v+"/will", "-m", "x", "--will-topic", v+"/gone", "--will-payload", "no")
			if got := next(t, lines); got != v+"/will x" {
				t.Errorf("got %q", got)
			}
		})
	}
	shared := []<-chan string{mosquittoSub(t, port, "-V", "mqttv5", "-t", "$share/g/work", "-q", "1"), mosquittoSub(t, port, "-V", "mqttv5", "-t", "$share/g/work", "-q", "1")}
	for i := range 10 {
		mosquittoPub(t, port, "-V", "mqttv5", "-q", "1", "-t", "work", "-m", fmt.Sprint(i))
	}
	for i := range 10 {
		select {
		case <-shared[0]:
		case <-shared[1]:
		case <-time.After(10 * time.Second):
			t.Fatalf("shared: %d of 10 arrived", i)
		}
	}
	d.stop()
}
