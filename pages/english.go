package pages

import "github.com/sallyport/auth/internal/fault"

var english = &Language{
	Tag:          "en",
	continueWith: "Continue with %s",
	seconds:      "Too many wrong access codes came from your network. Try again in %d seconds.",
	minutes:      "Too many wrong access codes came from your network. Try again in %d minutes.",
	Words: Words{
		SignIn: "Sign in", SignInIntro: "Choose how to continue.", AccessCode: "Access code", UseAccessCode: "Use an access code",
		SignOut: "Sign out", SignOutIntro: "Do you want to sign out?", SignedInAs: "Signed in as", Account: "Your account:", Stay: "Stay signed in",
		Retry: "Try again", Home: "To the start page", Continue: "Continue", ToSignIn: "To the sign-in page", OtherWays: "Other ways to sign in", SignInApart: "Sign in in a new tab", RequestID: "If you ask for help, give this reference",
	},
	problems: map[fault.Code]Problem{
		fault.Configuration:       {"Sign-in is not set up correctly", "This site and the sign-in service do not agree on how to work together. The people who run this site have to mend it; their log says what is wrong."},
		fault.AccessDenied:        {"You may not sign in here", "You signed in correctly, but this site does not admit your account. Ask the people who run it, or try another account."},
		fault.PersonDeclined:      {"You did not sign in", "The sign-in was cancelled, or it was not allowed to tell this site who you are. You can try again."},
		fault.NotSignedInThere:    {"You are not signed in there", "The sign-in service has something to ask you first, and was told not to. Try again, and it will ask."},
		fault.ProviderUnavailable: {"The sign-in service does not answer", "It may be down, or this site cannot reach it at the moment. Try again in a minute."},
		fault.UnknownRedirectURI:  {"This site's address is not registered", "The sign-in service does not know the address to which it should send you back. The people who run this site have to register it there."},
		fault.ClockWrong:          {"A clock is wrong", "The clocks of this site and of the sign-in service disagree. The people who run this site have to set theirs."},
		fault.CookiesBlocked:      {"Cookies are blocked", "Your browser did not keep the cookie that signing in needs. Allow cookies for this site and try again."},
		fault.AttemptExpired:      {"That took too long", "The sign-in was started too long ago, or in another browser. Start again."},
		fault.ResponseInvalid:     {"The answer was not valid", "What the sign-in service sent back failed a safety check, so you were not signed in. Try again."},
		fault.SessionTooLarge:     {"Your account does not fit", "The sign-in service sent more about your account than a browser can hold. The people who run this site can limit it, or keep sessions in a store."},
		fault.StoreUnavailable:    {"Sign-ins cannot be checked right now", "A part of this site is down. If you were signed in, you still are. Try again in a minute."},
		fault.MissingCSRF:         {"The form was out of date", "The page was open for too long, or came from somewhere else. Start again."},
		fault.OAuthCallback:       {"The sign-in did not work", "The sign-in service could not complete it. Try again."},
		fault.SessionRequired:     {"Please sign in", "The page that you asked for is for people who are signed in."},
		fault.FormNotSent:         {"What you sent has not arrived", "You are not signed in any more. Sign in in a new tab, come back here, and go back one page: what you typed should still be there to send again."},
		fault.InsideAFrame:        {"You are not signed in", "Signing in does not work inside another page. Do it in a tab of its own, and load this page again."},
		fault.AnotherSite:         {"This came from another site", "A page of another site sent something here in your name. It was not accepted, and nothing has changed. If it is what you want to do, do it on this site."},
		fault.SignedOut:           {"You are signed out", "You can close this page, or sign in again."},
		fault.CodeWrong:           {"That code is not right", "Small and capital letters are not the same. Ask the people who run this site if you have lost it."},
		fault.RateLimited:         {"Too many attempts", "Too many wrong access codes came from your network. Try again in a few minutes."},
		fault.TooManyFailures:     {"Too many sign-ins failed", "Too many sign-ins from your network came to nothing. Try again in a minute."},
		fault.AnotherWay:          {"This page is for other accounts", "You are signed in, but your account may not see this page. Sign in with one that may, or ask the people who run this site."},
		fault.NotFound:            {"There is no such page", "The address may be mistyped, or out of date."},
		fault.MethodNotAllowed:    {"That does not work here", "This address cannot be used in that way."},
		fault.BadRequest:          {"The request was not understood", "Go back and start again."},
		fault.Default:             {"Something went wrong", "You were not signed in. Try again."},
	},
}
