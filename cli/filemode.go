package cli

import (
	"fmt"
	"io/fs"
	"strconv"
)

// fileMode is a flag with permissions as chmod has them, such as 0660.
type fileMode fs.FileMode

func (m *fileMode) String() string { return fmt.Sprintf("%#o", uint32(*m)) }

// Set reads an octal number.
func (m *fileMode) Set(text string) error {
	n, err := strconv.ParseUint(text, 8, 32)
	if err != nil || n > 0o777 {
		return fmt.Errorf("got %q, want an octal number such as 0660", text)
	}
	*m = fileMode(n)
	return nil
}

// Type names the flag's value in the help.
func (m *fileMode) Type() string { return "MODE" }
