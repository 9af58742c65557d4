// Command scaling counts and simulates what docs/scaling.md says of a site with 100 million sessions and a
// million requests a second: from what was measured (measured.go) and what the site is to be (site.go).
//
//	cd e2e && go run ./scaling
package main

import "fmt"

func main() {
	for _, t := range tables() {
		fmt.Printf("%s\n\n%s\n", t.name, t.text)
	}
}
