package config

import (
	"fmt"
	"log/slog"
)

// Config is everything the loaded files say, in one model for all formats.
type Config struct {
	// Plugins are the instances of ai-proxy-advanced in the order of the files,
	// disabled ones included.
	Plugins []Plugin
	// Guarding are the plugins that guard the instances, in the order of the files,
	// disabled ones included.
	Guarding []GuardPlugin
	// Services, Routes, Consumers and ConsumerGroups are what the files say about
	// the entities around the instances. A scope may name others.
	Services       []Service
	Routes         []Route
	Consumers      []Consumer
	ConsumerGroups []ConsumerGroup

	// index answers Find; nil in a Config that was not loaded.
	index *index
}

// Plugin is one instance of ai-proxy-advanced.
type Plugin struct {
	// Name is always "ai-proxy-advanced".
	Name string
	// ID is the UUID the file gives, or empty.
	ID string
	// InstanceName is a name that the file chooses, or empty.
	InstanceName string
	Enabled      bool
	Tags         []string
	Scope        Scope
	Settings     AIProxyAdvanced
	// Unset are the settings whose variables have no value, in a configuration that was
	// loaded although some have none.
	Unset []Fault
	// Position is where the file starts the instance.
	Position Position
}

// Position is a position in a file. Line and Column count from 1; the zero Position
// is none.
type Position struct {
	File   string
	Line   int
	Column int
}

// String returns "file:line", or the file alone where there is no line.
func (p Position) String() string {
	if p.Line == 0 {
		return p.File
	}
	return fmt.Sprintf("%s:%d", p.File, p.Line)
}

// Warning is something in a file that loads and that its author should know.
type Warning struct {
	Position Position
	// Path is the path within the file, such as "plugins[0].name", or empty.
	Path string
	// Text says what it is. It holds no secret.
	Text string
	// Info is set for what a user may want to know and need not mend.
	Info bool
}

// String returns "file:line: path: text".
func (w Warning) String() string {
	text := w.Text
	if w.Path != "" {
		text = w.Path + ": " + text
	}
	if w.Position != (Position{}) {
		text = w.Position.String() + ": " + text
	}
	return text
}

// LogValue returns the parts of the warning as a group.
func (w Warning) LogValue() slog.Value {
	return slog.GroupValue(
		slog.String("position", w.Position.String()),
		slog.String("path", w.Path),
		slog.String("text", w.Text))
}
