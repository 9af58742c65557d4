package accesscode

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/sallyport/auth"
)

// A device says that whoever has it knew a code at some time:
//
//	<subject> . <seconds since 1970 when it ends> . <id> . <HMAC of all that>
//
// It ends with its code too. The id is of the subject and the network in which the
// device first signed in: whoever signs in again and again gets one id, and with it
// the wrong codes of one more client and no others.
const (
	deviceFor   = 90 * 24 * time.Hour
	deviceIDLen = 16
	maxDevice   = 200 // bytes
)

var _ auth.DeviceVerifier = (*Gate)(nil)

// VerifyDevice implements [auth.DeviceVerifier]. A device has wrong codes of its
// own, as a client has, so that somebody else at the same address does not use them
// up; when it has none left, its address counts. A device that is made up, or whose
// code is gone, is none.
func (g *Gate) VerifyDevice(ctx context.Context, client netip.Addr, device, text string) (*auth.Identity, string, error) {
	here := networksOf(client)
	accounts := []networks{here}
	subject, id, known := g.openDevice(device)
	if known {
		accounts = []networks{here.of(id), here}
	}
	found, err := g.verify(ctx, text, accounts...)
	if err != nil {
		return nil, "", err
	}
	if !known || subject != found.identity.Subject {
		id = g.deviceID(found.identity.Subject, here[0])
	}
	return found.copy(), g.sealDevice(found.identity.Subject, id), nil
}

// of is n for the device with that id, which is a network of one address.
func (n networks) of(id [deviceIDLen]byte) networks {
	n[client] = netip.PrefixFrom(netip.AddrFrom16(id), 128)
	return n
}

func isDevice(one netip.Prefix) bool { return one.Bits() == 128 }

func (g *Gate) deviceID(subject string, home netip.Prefix) (id [deviceIDLen]byte) {
	copy(id[:], deviceMAC(g.secrets[0], "id", subject, home.String()))
	return id
}

func (g *Gate) sealDevice(subject string, id [deviceIDLen]byte) string {
	ends := strconv.FormatInt(g.now().Add(deviceFor).Unix(), 10)
	name := base64.RawURLEncoding.EncodeToString(id[:])
	mac := deviceMAC(g.secrets[0], subject, ends, name)
	return strings.Join([]string{subject, ends, name, base64.RawURLEncoding.EncodeToString(mac)}, ".")
}

// openDevice is who device belongs to, if it is one of ours that counts.
func (g *Gate) openDevice(device string) (subject string, id [deviceIDLen]byte, ok bool) {
	parts := strings.Split(device, ".")
	if len(device) > maxDevice || len(parts) != 4 || !g.Valid(parts[0]) {
		return "", id, false
	}
	ends, err := strconv.ParseInt(parts[1], 10, 64)
	if err != nil || !g.now().Before(time.Unix(ends, 0)) {
		return "", id, false
	}
	mac, err := base64.RawURLEncoding.DecodeString(parts[3])
	if err != nil {
		return "", id, false
	}
	for _, s := range g.secrets {
		if hmac.Equal(mac, deviceMAC(s, parts[:3]...)) {
			ok = true
		}
	}
	name, err := base64.RawURLEncoding.DecodeString(parts[2])
	if !ok || err != nil || len(name) != deviceIDLen {
		return "", id, false
	}
	return parts[0], [deviceIDLen]byte(name), true
}

func deviceMAC(s auth.Secret, parts ...string) []byte {
	mac := hmac.New(sha256.New, []byte(s.Reveal()))
	mac.Write([]byte("sallyport access code device\x00" + strings.Join(parts, "\x00")))
	return mac.Sum(nil)[:deviceIDLen]
}
