package auth

import (
	"bytes"
	"encoding/json"
)

// orderedMembers is a JSON object whose members keep their order, as Auth.js's
// list of providers does: clients draw buttons from it.
type orderedMembers []member

type member struct {
	name  string
	value any
}

// MarshalJSON implements [json.Marshaler].
func (o orderedMembers) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, m := range o {
		if i > 0 {
			b.WriteByte(',')
		}
		name, err := json.Marshal(m.name)
		if err != nil {
			return nil, err
		}
		value, err := json.Marshal(m.value)
		if err != nil {
			return nil, err
		}
		b.Write(name)
		b.WriteByte(':')
		b.Write(value)
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}
