// Package report gathers what is wrong with the files of a configuration, and has the
// words that messages share.
package report

import (
	"cmp"
	"fmt"
	"slices"

	"semlb/config"
	"semlb/wire"
)

// maxReported is the largest number of faults in one report.
const maxReported = 1000

// Report gathers faults and warnings. The zero Report is empty and ready to use.
type Report struct {
	faults   config.Faults
	warnings []config.Warning
}

// Problem adds a fault that is a sentence of its own.
func (r *Report) Problem(pos config.Position, path, format string, args ...any) {
	r.Add(config.Fault{Position: pos, Path: path, Problem: fmt.Sprintf(format, args...)})
}

// Want adds a fault that says what there is and what there should be.
func (r *Report) Want(pos config.Position, path, got, want string) {
	r.Add(config.Fault{Position: pos, Path: path, Got: got, Want: want})
}

// Add adds faults. It keeps some more than a report shows, because those that repeat
// others are left out in the end. What looks like a key is masked.
func (r *Report) Add(faults ...config.Fault) {
	room := max(0, 2*maxReported+1-len(r.faults))
	for _, f := range faults[:min(room, len(faults))] {
		f.Path, f.Got, f.Problem = wire.MaskKeys(f.Path), wire.MaskKeys(f.Got), wire.MaskKeys(f.Problem)
		r.faults = append(r.faults, f)
	}
}

// Warn adds a warning, in which what looks like a key is masked. Beyond a large number
// of them it does nothing.
func (r *Report) Warn(pos config.Position, path, text string) {
	if len(r.warnings) <= 2*maxReported {
		r.warnings = append(r.warnings, config.Warning{Position: pos, Path: wire.MaskKeys(path), Text: wire.MaskKeys(text)})
	}
}

// Inform adds what a user may want to know of a file, as a warning that says so.
func (r *Report) Inform(file, text string) {
	if len(r.warnings) <= 2*maxReported {
		r.warnings = append(r.warnings, config.Warning{Position: config.Position{File: file}, Text: text, Info: true})
	}
}

// Count returns the number of faults so far, so that a caller sees whether one of its
// steps added any.
func (r *Report) Count() int { return len(r.faults) }

// Full reports whether there are more faults than a report shows.
func (r *Report) Full() bool { return len(r.faults) > maxReported }

// Faults returns the faults as they were added.
func (r *Report) Faults() config.Faults { return r.faults }

// Warnings returns the warnings as they were added.
func (r *Report) Warnings() []config.Warning { return r.warnings }

// Err returns the faults without repetitions, in the order of the files and of their
// lines, or nil where there is none. Very many are cut short.
func (r *Report) Err(files []string) error {
	if len(r.faults) == 0 {
		return nil
	}
	faults := slices.Clone(r.faults)
	slices.SortStableFunc(faults, func(a, b config.Fault) int {
		return cmp.Or(
			cmp.Compare(slices.Index(files, a.Position.File), slices.Index(files, b.Position.File)),
			cmp.Compare(a.Position.Line, b.Position.Line),
			cmp.Compare(a.Position.Column, b.Position.Column))
	})
	seen := make(map[config.Fault]bool, len(faults))
	faults = slices.DeleteFunc(faults, func(f config.Fault) bool {
		repeated := seen[f]
		seen[f] = true
		return repeated
	})
	if len(faults) > maxReported {
		last := config.Position{File: faults[maxReported].Position.File}
		faults[maxReported] = config.Fault{Position: last, Problem: "further faults are not shown"}
		faults = faults[:maxReported+1]
	}
	return faults
}

// Truncate removes the faults that were added after the first n.
func (r *Report) Truncate(n int) { r.faults = r.faults[:n] }
