package pages_test

import (
	"fmt"

	"github.com/sallyport/auth/pages"
)

// An application says something else than this package in German, and adds Portuguese. It
// hands both to Config.Languages of the root package, which calls NewLanguages.
func ExampleNewLanguages() {
	languages, err := pages.NewLanguages(
		pages.Language{Tag: "de", Words: pages.Words{SignIn: "Einloggen"}},
		pages.Language{
			Tag:   "pt-BR",
			Words: pages.Words{SignIn: "Entrar", ContinueWith: "Continuar com %s"},
			Problems: map[pages.Code]pages.Problem{
				"NotFound": {Title: "Página não encontrada", Text: "O endereço pode estar incorreto."},
			},
		},
	)
	if err != nil {
		panic(err)
	}
	fmt.Println(languages.Match("de-AT").Words.SignIn)
	fmt.Println(languages.Match("pt,en;q=0.8").ContinueWith("GitHub"))
	fmt.Println(languages.Match("pt").Words.SignOut, "is English as long as it is left out")
	fmt.Println(pages.Match("zh").ContinueWith("GitHub"), pages.Match("zh").ContinueWith("企业微信"))
	// Output:
	// Einloggen
	// Continuar com GitHub
	// Sign out is English as long as it is left out
	// 使用 GitHub 登录 使用企业微信登录
}
