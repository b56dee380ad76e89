package wiretest

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"

	"github.com/lunemq/lunemq/broker/mqtt"
)

// Script is one script file.
type Script struct {
	Path     string
	Intro    string // the opening paragraph
	Versions []mqtt.Version
	Set      []string // KEY=VALUE of the broker's configuration
	ACL      string   // content of the ACL file
	Hooks    bool     // ask the scripted plugin before the ACL
	Blocking bool     // in a worker, as if it could wait
	Deliver  bool     // ask it about deliveries too
	Tags     []string // normative statements cited, "MQTT-3.3.1-5"

	parts []part
}

// part is one paragraph of the file: text that is kept as it is, or a block.
type part struct {
	text     string // comments and directives
	line     int
	commands []string
	want     map[mqtt.Version]string // output as recorded
}

// versions of the protocol by name.
var versions = map[string]mqtt.Version{"3.1": mqtt.V31, "3.1.1": mqtt.V311, "5.0": mqtt.V5}

var tagPattern = regexp.MustCompile(`\[(MQTT-[0-9]+\.[0-9]+\.[0-9]+-[0-9]+)\]`)

// Load reads a script.
func Load(path string) (*Script, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	return parse(path, string(raw))
}

func parse(path, text string) (*Script, error) {
	s := &Script{Path: path, Versions: []mqtt.Version{mqtt.V311, mqtt.V5}}
	for _, m := range tagPattern.FindAllStringSubmatch(text, -1) {
		if !slices.Contains(s.Tags, m[1]) {
			s.Tags = append(s.Tags, m[1])
		}
	}
	line := 1
	for _, para := range strings.Split(strings.TrimRight(text, "\n"), "\n\n") {
		if err := s.paragraph(para, line); err != nil {
			return nil, fmt.Errorf("%s:%d: %w", path, line, err)
		}
		line += strings.Count(para, "\n") + 2
	}
	if s.Intro == "" {
		return nil, fmt.Errorf("%s: no opening paragraph", path)
	}
	return s, nil
}

func (s *Script) paragraph(para string, line int) error {
	lines := strings.Split(para, "\n")
	switch word, _, _ := strings.Cut(lines[0], " "); {
	case strings.HasPrefix(word, "#"):
		if s.Intro == "" {
			s.Intro = para
		}
		s.parts = append(s.parts, part{text: para})
		return nil
	case word == "versions" || word == "config" || word == "acl" || word == "hooks":
		s.parts = append(s.parts, part{text: para})
		return s.directives(lines)
	}
	p := part{line: line, want: map[mqtt.Version]string{}}
	for len(lines) > 0 && !strings.HasPrefix(lines[0], "----") {
		p.commands = append(p.commands, lines[0])
		lines = lines[1:]
	}
	for len(lines) > 0 {
		in := s.Versions
		if name := strings.TrimSpace(strings.TrimPrefix(lines[0], "----")); name != "" {
			v, known := versions[name]
			if !known {
				return fmt.Errorf("no version %q", name)
			}
			in = []mqtt.Version{v}
		}
		var out []string
		for lines = lines[1:]; len(lines) > 0 && !strings.HasPrefix(lines[0], "----"); lines = lines[1:] {
			out = append(out, lines[0])
		}
		for _, v := range in {
			p.want[v] = strings.Join(out, "\n")
		}
	}
	s.parts = append(s.parts, p)
	return nil
}

func (s *Script) directives(lines []string) error {
	for _, l := range lines {
		word, rest, _ := strings.Cut(l, " ")
		switch word {
		case "versions":
			s.Versions = nil
			for _, name := range strings.Fields(rest) {
				v, known := versions[name]
				if !known {
					return fmt.Errorf("no version %q", name)
				}
				s.Versions = append(s.Versions, v)
			}
		case "config":
			s.Set = append(s.Set, strings.Fields(rest)...)
		case "acl":
			s.ACL += rest + "\n"
		case "hooks":
			s.Hooks = true
			s.Blocking = s.Blocking || strings.Contains(rest, "blocking")
			s.Deliver = s.Deliver || strings.Contains(rest, "deliver")
		default:
			return fmt.Errorf("no directive %q", word)
		}
	}
	return nil
}

// Result is what one run put out, by block.
type Result []string

// Compare returns where results differ from what the script records.
func (s *Script) Compare(got map[mqtt.Version]Result) (bad []string) {
	n := 0
	for _, p := range s.parts {
		if p.want == nil {
			continue
		}
		for _, v := range s.Versions {
			if r := got[v]; n >= len(r) || r[n] != p.want[v] {
				out := "nothing"
				if n < len(r) {
					out = r[n]
				}
				bad = append(bad, fmt.Sprintf("%s:%d for %s:\n%s\ngot\n%s\nwant\n%s", s.Path, p.line, v, strings.Join(p.commands, "\n"), out, p.want[v]))
			}
		}
		n++
	}
	return bad
}

// Text returns the script with results in place of what it records.
func (s *Script) Text(got map[mqtt.Version]Result) string {
	var b strings.Builder
	n := 0
	for i, p := range s.parts {
		if i > 0 {
			b.WriteString("\n")
		}
		if p.want == nil {
			b.WriteString(p.text + "\n")
			continue
		}
		b.WriteString(strings.Join(p.commands, "\n") + "\n")
		same := true
		for _, v := range s.Versions {
			same = same && got[v][n] == got[s.Versions[0]][n]
		}
		if same {
			b.WriteString("----\n" + got[s.Versions[0]][n] + "\n")
		} else {
			for _, v := range s.Versions {
				b.WriteString("---- " + v.String() + "\n" + got[v][n] + "\n")
			}
		}
		n++
	}
	return b.String()
}
