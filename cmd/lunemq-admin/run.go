package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
)

// Exit statuses.
const (
	exitOK     = 0
	exitFailed = 1
	exitUsage  = 2
)

const usage = `Usage: lunemq-admin [OPTIONS] COMMAND ...

Options, before the command:
  --socket PATH     admin socket (default $LUNEMQ_ADMIN_SOCKET, else /run/lunemq/admin.sock)
  --url URL         HTTP listener instead of the socket, such as http://127.0.0.1:8888
  --api-key KEY     key for --url (default $LUNEMQ_ADMIN_API_KEY); - reads a line of standard input

`

// options are those of the client itself.
type options struct {
	socket, url, key string
}

// run is main without the process: it returns the exit status. Results go to
// stdout, failures to stderr.
func run(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	o, words, err := parseOptions(args, stdin)
	if err != nil {
		fmt.Fprintf(stderr, "lunemq-admin: %v\n%s", err, usage)
		return exitUsage
	}
	bare := len(words) == 0 // the broker's list of commands, as an error
	out := stdout
	if bare {
		words, out = []string{"--help"}, stderr
	}
	if words[0] == "--help" || words[0] == "-h" {
		io.WriteString(out, usage)
	}
	resp, err := send(o, words, bold(out))
	if err != nil {
		fmt.Fprintf(stderr, "lunemq-admin: %v\n", err)
		return exitFailed
	}
	defer resp.Body.Close()
	status := exitStatus(resp)
	if status != exitOK && resp.Header.Get(resultHeader) != failedTable {
		out = stderr
	}
	if _, err := io.Copy(out, resp.Body); err != nil {
		fmt.Fprintf(stderr, "lunemq-admin: the answer broke off: %v\n", err)
		return exitFailed
	}
	if bare {
		return exitUsage
	}
	return status
}

// resultHeader says what the answer is; failedTable is a table that shows a
// failure.
const (
	resultHeader = "X-LuneMQ-Result"
	failedTable  = "failed"
)

func exitStatus(resp *http.Response) int {
	switch {
	case resp.StatusCode == http.StatusBadRequest:
		return exitUsage
	case resp.StatusCode != http.StatusOK, resp.Header.Get(resultHeader) == "alert", resp.Header.Get(resultHeader) == failedTable:
		return exitFailed
	}
	return exitOK
}

// parseOptions takes the client's options off the front of args and returns
// what follows them, the words of the command.
func parseOptions(args []string, stdin io.Reader) (options, []string, error) {
	o := options{socket: os.Getenv("LUNEMQ_ADMIN_SOCKET"), key: os.Getenv("LUNEMQ_ADMIN_API_KEY")}
	if o.socket == "" {
		o.socket = "/run/lunemq/admin.sock"
	}
	places := map[string]*string{"--socket": &o.socket, "--url": &o.url, "--api-key": &o.key}
	given := []string{}
	for len(args) > 0 {
		name, value, set := strings.Cut(args[0], "=")
		place := places[name]
		if place == nil {
			break
		}
		args = args[1:]
		if !set {
			if len(args) == 0 {
				return o, nil, fmt.Errorf("%s needs a value", name)
			}
			value, args = args[0], args[1:]
		}
		*place = value
		given = append(given, name)
	}
	if slices.Contains(given, "--socket") && slices.Contains(given, "--url") {
		return o, nil, errors.New("--socket and --url exclude each other")
	}
	if o.key == "-" && o.url != "" {
		line, err := bufio.NewReader(stdin).ReadString('\n')
		if o.key = strings.TrimSpace(line); o.key == "" {
			return o, nil, fmt.Errorf("--api-key -: no key on standard input: %v", err)
		}
	}
	return o, args, nil
}

// bold reports whether w is a terminal that may be sent bold headers.
func bold(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok || os.Getenv("NO_COLOR") != "" || os.Getenv("TERM") == "dumb" {
		return false
	}
	i, err := f.Stat()
	return err == nil && i.Mode()&os.ModeCharDevice != 0
}
