package provider

import "strconv"

// messages reads the rest of an array of messages whose bracket was read, and
// keeps the text of the last one by the user.
func (rd *reader) messages() error {
	for count := 0; rd.dec.PeekKind() != ']'; count++ {
		if count == MaxMessages {
			return badRequest(CodeTooComplex, "request body has more than "+strconv.Itoa(MaxMessages)+" messages")
		}
		if rd.dec.PeekKind() != '{' {
			if err := rd.skip(); err != nil {
				return err
			}
			continue
		}
		if err := rd.message(); err != nil {
			return err
		}
	}
	return rd.enter() // the closing bracket
}

// prompts reads the rest of an array of prompts whose bracket was read.
func (rd *reader) prompts() error {
	rd.req.prompt = rd.req.prompt[:0]
	for rd.dec.PeekKind() != ']' {
		if len(rd.req.prompt) == MaxMessages {
			return badRequest(CodeTooComplex, "request body has more than "+strconv.Itoa(MaxMessages)+" prompts")
		}
		if rd.dec.PeekKind() != '"' {
			rd.req.odd = true
			if err := rd.skip(); err != nil {
				return err
			}
			continue
		}
		_, value, err := rd.scalar()
		if err != nil {
			return err
		}
		rd.req.prompt = append(rd.req.prompt, value)
	}
	return rd.enter() // the closing bracket
}

// message reads one message. Its role may follow its content, so the text is
// collected first and kept at the end if the role is user.
func (rd *reader) message() error {
	if err := rd.enter(); err != nil {
		return err
	}
	rd.text = rd.text[:0]
	user := false
	for rd.dec.PeekKind() != '}' {
		raw, _, err := rd.scalar()
		if err != nil {
			return err
		}
		switch {
		case spells(raw, "role"):
			user, err = rd.oneOf("user", "user")
		case spells(raw, "content"):
			err = rd.content()
		default:
			err = rd.skip()
		}
		if err != nil {
			return err
		}
	}
	if user {
		rd.req.prompt, rd.text = rd.text, rd.req.prompt
	}
	return rd.enter()
}

// content reads the content of a message: a string, or an array of parts.
func (rd *reader) content() error {
	switch rd.dec.PeekKind() {
	case '"':
		_, value, err := rd.scalar()
		rd.text = append(rd.text, value)
		return err
	case '[':
	default:
		return rd.skip()
	}
	if err := rd.enter(); err != nil {
		return err
	}
	for rd.dec.PeekKind() != ']' {
		read := rd.skip
		if rd.dec.PeekKind() == '{' {
			read = rd.part
		}
		if err := read(); err != nil {
			return err
		}
	}
	return rd.enter()
}

// part reads one part of a content and keeps its text if its type is text.
func (rd *reader) part() error {
	if err := rd.enter(); err != nil {
		return err
	}
	var text span
	isText := false
	for rd.dec.PeekKind() != '}' {
		raw, _, err := rd.scalar()
		if err != nil {
			return err
		}
		switch {
		case spells(raw, "type"):
			isText, err = rd.oneOf("text", "input_text")
		case spells(raw, "text") && rd.dec.PeekKind() == '"':
			_, text, err = rd.scalar()
		default:
			err = rd.skip()
		}
		if err != nil {
			return err
		}
	}
	if isText && text.end > 0 {
		rd.text = append(rd.text, text)
	}
	return rd.enter()
}

// oneOf reads a value and reports whether it is one of two strings.
func (rd *reader) oneOf(a, b string) (bool, error) {
	if rd.dec.PeekKind() != '"' {
		return false, rd.skip()
	}
	raw, _, err := rd.scalar()
	return err == nil && (spells(raw, a) || spells(raw, b)), err
}

// spells reports whether a raw JSON string means text, escaped or not.
func spells(raw []byte, text string) bool {
	if len(raw) > len(`\u0000`)*len(text)+2 {
		return false
	}
	if escaped(raw) {
		return unquote(raw) == text
	}
	return string(raw[1:len(raw)-1]) == text
}
