package discord_test

import (
	"log"
	"net/http"
	"os"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/providers/discord"
)

// Members of one Discord server sign in.
func Example() {
	members, err := auth.AllowGroups("80351110224678913")
	if err != nil {
		log.Fatal(err)
	}
	p, err := discord.New(discord.Config{
		ClientID:     os.Getenv("DISCORD_CLIENT_ID"),
		ClientSecret: auth.NewSecret(os.Getenv("DISCORD_CLIENT_SECRET")),
		Guilds:       true,
	})
	if err != nil {
		log.Fatal(err)
	}
	a, err := auth.New(auth.Config{
		Secrets:   []auth.Secret{auth.NewSecret(os.Getenv("AUTH_SECRET"))},
		Providers: []auth.Provider{p},
		Policy:    members,
	})
	if err != nil {
		log.Fatal(err)
	}
	log.Fatal(http.ListenAndServe("127.0.0.1:3000", a.Require(http.FileServer(http.Dir("site")))))
}
