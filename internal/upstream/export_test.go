package upstream

import "net/http"

// Transport is what c's calls go through.
func (c *Client) Transport() http.RoundTripper { return c.http.Transport }

// RefuseStrangeAddresses is what the dialer asks of each address.
func RefuseStrangeAddresses(address string) error { return refuseStrangeAddresses("", address, nil) }
