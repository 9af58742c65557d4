// Package azuread signs people in with Microsoft Entra ID, formerly Azure Active
// Directory, and with Entra External ID, by OpenID Connect.
//
// At Microsoft, the application is an app registration with the redirect URI
// https://<host>/api/auth/callback/azure-ad on the platform Web, and a client secret.
//
// In the environment, the provider has three ids, "azure-ad", the newer
// "microsoft-entra-id", and LobeChat's "microsoft", which differ in their variables and
// in the callback URL.
// [FromEnv] reads for "azure-ad" AZURE_AD_TENANT_ID, AZURE_AD_CLIENT_ID and
// AZURE_AD_CLIENT_SECRET, or AUTH_AZURE_AD_TENANT_ID, AUTH_AZURE_AD_ID and
// AUTH_AZURE_AD_SECRET; for "microsoft-entra-id" AUTH_MICROSOFT_ENTRA_ID_TENANT_ID, or
// the whole AUTH_MICROSOFT_ENTRA_ID_ISSUER, AUTH_MICROSOFT_ENTRA_ID_ID and
// AUTH_MICROSOFT_ENTRA_ID_SECRET; for "microsoft" AUTH_MICROSOFT_TENANT_ID, which is
// "common" if unset, AUTH_MICROSOFT_ID and AUTH_MICROSOFT_SECRET.
//
// # Who somebody is
//
// The subject is the person's object id and tenant id joined by a dot, and the issuer
// the tenant's: Microsoft's own "sub" differs for each application
// (https://learn.microsoft.com/en-us/entra/identity-platform/id-token-claims-reference).
// A guest has the object id of the tenant that signs them in.
//
// The e-mail address counts as verified only where the optional claim xms_edov says
// that the domain's owner was checked
// (https://learn.microsoft.com/en-us/entra/identity-platform/optional-claims-reference):
// whoever runs a tenant can put any address there. The groups are the claim "groups",
// object ids as a rule, where the app registration asks for it. Who is in more groups
// than fit into a token has none, and the claim "groups_overage" instead.
//
// # What it does not protect from
//
// With "organizations", "consumers" or "common", anybody in the world can get an
// account. Name a tenant, list [Config.Tenants], or set a policy. A tenant of External ID
// is one for customers, who can sign up by themselves unless its user flows say otherwise.
package azuread

import (
	"context"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/envvar"
	"github.com/sallyport/auth/providers/internal/fromenv"
	"github.com/sallyport/auth/providers/internal/oidcenv"
	"github.com/sallyport/auth/providers/oidc"
)

// PersonalTenant is the GUID of the tenant that all personal Microsoft accounts are in.
const PersonalTenant = "9188040d-6c67-4c5b-b112-36a304b66dad"

const defaultBase = "https://login.microsoftonline.com"

// Microsoft writes GUIDs in lower case. The parts of a subject and of an issuer are
// held to that, so that a tenant has one spelling.
var guid = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$`)
var domain = regexp.MustCompile(`^[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+$`)

// Config describes an app registration.
type Config struct {
	// Name is the provider's id, "azure-ad" or "microsoft-entra-id", and so a part of
	// the callback URL. If empty, "azure-ad".
	Name string

	// Tenant is a tenant's GUID, or one of its domains: only its people and guests
	// sign in. Or "organizations" (any tenant), "consumers" (personal accounts),
	// "common" (both). Required.
	Tenant string

	// Tenants are the GUIDs, in lower case, of those that may sign in where Tenant is
	// a domain, "organizations" or "common". If nil, any; an empty list is an error.
	Tenants []string

	ClientID     string      // the application (client) id. Required
	ClientSecret auth.Secret // a client secret's value, not its id. Required

	// BaseURL is for sovereign clouds, such as "https://login.microsoftonline.us"
	// (https://learn.microsoft.com/en-us/entra/identity-platform/authentication-national-cloud).
	// Or for Entra External ID, "https://<name>.ciamlogin.com", where Tenant has to be the
	// GUID. If empty, https://login.microsoftonline.com.
	BaseURL string

	// Scopes to ask for beside those of a sign-in, for [auth.TokenSource]: "offline_access"
	// for a refresh token, and those of one API, https://graph.microsoft.com/Calendars.Read.
	// If nil, none.
	Scopes []string

	HTTPClient *http.Client     // its Transport is used. If nil, one of our own
	Now        func() time.Time // If nil, time.Now
}

// New returns the provider. It does no network I/O. The error says what is wrong with
// c.
//
// What each Tenant makes of the issuer, which an ID token must then name:
//
//	a GUID                   that tenant's
//	a domain                 the tenant's whose GUID discovery answers with
//	consumers                PersonalTenant's
//	common, organizations    the one that the token's own "tid" makes, and whose key signed
//
// At ciamlogin.com, Tenant is a GUID, and that tenant's issuer has the GUID for its name
// too: https://<GUID>.ciamlogin.com/<GUID>/v2.0.
func New(c Config) (auth.Provider, error) {
	config, err := c.oidc()
	if err != nil {
		return nil, err
	}
	return oidc.New(config)
}

func (c Config) oidc() (oidc.Config, error) {
	base := strings.TrimRight(c.BaseURL, "/")
	if base == "" {
		base = defaultBase
	}
	if c.Name == "" {
		c.Name = "azure-ad"
	}
	tenant := strings.ToLower(c.Tenant)
	config := oidc.Config{
		Name:         c.Name,
		Issuer:       base + "/" + tenant + "/v2.0",
		ClientID:     c.ClientID,
		ClientSecret: c.ClientSecret,
		ClientAuth:   oidc.ClientSecretPost,
		Scopes:       append([]string{"openid", "profile", "email"}, c.Scopes...),
		Prompts:      []string{"select_account", "login"},
		Map:          c.identity,
		Presentation: auth.Presentation{Label: "Microsoft", Mark: mark},
		HTTPClient:   c.HTTPClient,
		Now:          c.Now,
	}
	switch {
	case c.Tenants != nil && len(c.Tenants) == 0:
		return config, fmt.Errorf("auth: provider %q: Tenants is empty and would let nobody in", c.Name)
	case slices.ContainsFunc(c.Tenants, func(t string) bool { return !guid.MatchString(t) }):
		return config, fmt.Errorf("auth: provider %q: Tenants: want GUIDs in lower case", c.Name)
	case isExternal(base) && !guid.MatchString(tenant):
		return config, fmt.Errorf("auth: provider %q: Tenant %q: want the tenant's GUID at %s", c.Name, c.Tenant, base)
	case isExternal(base):
		config.Issuer, config.DiscoveryURL = externalIssuer(tenant), config.Issuer
		config.AnyoneMayEnter = true
	case guid.MatchString(tenant):
	case tenant == "consumers":
		config.IssuerTemplate = base + "/" + PersonalTenant + "/v2.0"
		config.AnyoneMayEnter = true
	case tenant == "common" || tenant == "organizations":
		config.IssuerTemplate = base + "/{tenantid}/v2.0"
		config.AnyoneMayEnter = c.Tenants == nil
	case domain.MatchString(tenant):
		config.IssuerTemplate = base + "/{tenantid}/v2.0" // Microsoft answers with the GUID
	default:
		return config, fmt.Errorf("auth: provider %q: Tenant %q: want the tenant's GUID or domain, or common, organizations or consumers", c.Name, c.Tenant)
	}
	return config, nil
}

// identity holds the tenant to the lists, and keeps of the claims what Microsoft
// vouches for. The picture, which only Microsoft Graph has, is dropped.
func (c Config) identity(ctx context.Context, claims oidc.Claims) (*auth.Identity, error) {
	tenant, object := claims.String("tid"), claims.String("oid")
	switch {
	case !guid.MatchString(tenant) || !guid.MatchString(object):
		return nil, fmt.Errorf("%w: tid and oid are not GUIDs: is profile among the scopes?", auth.ErrInvalidResponse)
	case c.Tenants != nil && !slices.Contains(c.Tenants, tenant):
		return nil, fmt.Errorf("%w: the tenant %s is not on the list", auth.ErrNotAllowed, tenant)
	case strings.EqualFold(c.Tenant, "organizations") && tenant == PersonalTenant:
		return nil, fmt.Errorf("%w: a personal account, and the tenant is organizations", auth.ErrNotAllowed)
	}
	id, err := oidc.DefaultIdentity(ctx, claims)
	if err != nil {
		return nil, err
	}
	id.Subject = object + "." + tenant
	id.EmailVerified = verified(claims)
	id.Picture = ""
	if claims.Has("_claim_names") || claims.Has("hasgroups") {
		// More groups than fit into a token, 200 of them: unknown, which is not none
		// (https://learn.microsoft.com/en-us/entra/identity-platform/id-token-claims-reference#groups-overage-claim).
		id.Groups = nil
		id.Claims = map[string]any{"groups_overage": true}
	}
	return id, nil
}

// verified reads xms_edov, which is documented as a boolean, and comes as true, 1 or
// "1". email_verified, which no Microsoft token has, is not looked at.
func verified(claims oidc.Claims) bool {
	switch string(claims.Raw("xms_edov")) {
	case "true", "1", `"1"`, `"true"`:
		return true
	}
	return false
}

// FromEnv is the [auth.ProviderFactory] of "azure-ad", "microsoft-entra-id" and
// "microsoft", which becomes the provider's name. AUTH_MICROSOFT_ENTRA_ID_BASE_URL names
// a sovereign cloud, unless the issuer does. AUTH_AZURE_AD_ALLOWED_TENANTS, and the same
// of the other ids, are [Config].Tenants, in letters of any case.
func FromEnv(env auth.Env, id string, client *http.Client) (auth.Provider, error) {
	r := envvar.NewReader(env)
	name := fromenv.Variable(id)
	names := map[string][]string{"id": {"AUTH_" + name + "_ID"}, "secret": {"AUTH_" + name + "_SECRET"}, "tenant": {"AUTH_" + name + "_TENANT_ID"}}
	c, byIssuer := Config{Name: id, HTTPClient: client}, false
	switch id {
	case "azure-ad":
		for key, first := range map[string]string{"id": "AZURE_AD_CLIENT_ID", "secret": "AZURE_AD_CLIENT_SECRET", "tenant": "AZURE_AD_TENANT_ID"} {
			names[key] = append([]string{first}, names[key]...)
		}
	case "microsoft":
		c.Tenant = "common"
	case "microsoft-entra-id":
		names["id"], names["secret"] = append(names["id"], "AUTH_AZURE_AD_ID"), append(names["secret"], "AUTH_AZURE_AD_SECRET")
		names["tenant"] = append(names["tenant"], "AUTH_AZURE_AD_TENANT_ID", "AZURE_AD_TENANT_ID")
		c.BaseURL = fromenv.Address(r, "it is one like https://login.microsoftonline.us", "AUTH_MICROSOFT_ENTRA_ID_BASE_URL")
		if issuer := r.Get("AUTH_MICROSOFT_ENTRA_ID_ISSUER", "MICROSOFT_ENTRA_ID_ISSUER"); issuer != "" {
			base, tenant, err := splitIssuer(issuer)
			if err != nil {
				r.Problem(err)
			}
			c.BaseURL, c.Tenant = base, tenant
			byIssuer = true // or what is wrong with it is all
		}
	default: // one of several
		c.BaseURL = fromenv.Address(r, "it is one like https://login.microsoftonline.us", "AUTH_"+name+"_BASE_URL")
	}
	value, variable := r.First(names["tenant"]...)
	if byIssuer {
		variable = "AUTH_MICROSOFT_ENTRA_ID_ISSUER"
	} else if value != "" || c.Tenant == "" {
		c.Tenant = r.Need("it is the Directory (tenant) ID of the app registration; or common, organizations or consumers", names["tenant"]...)
		if c.Tenant != "" && envvar.Check(variable, c.Tenant) == nil && !isTenant(c.Tenant) {
			r.Problem(&envvar.Error{Variable: variable, Problem: "is no tenant", Cure: "set it to the Directory (tenant) ID of the app registration or one of the tenant's domains; or to common, organizations or consumers"})
		}
	}
	if isExternal(c.BaseURL) && isTenant(c.Tenant) && !guid.MatchString(strings.ToLower(c.Tenant)) {
		r.Problem(&envvar.Error{Variable: variable, Problem: "does not name the tenant by its GUID, which is a part of the issuer at ciamlogin.com", Cure: "set it to the Directory (tenant) ID of the app registration; as an issuer, https://<name>.ciamlogin.com/<tenant id>/v2.0"})
	}
	c.ClientID = r.Need("it is the Application (client) ID of the app registration", names["id"]...)
	settings := fromenv.ReadSettings(r, name, false)
	settings.NeedsEmail = false // Microsoft's userinfo says no more of an address than its tokens do
	c.ClientSecret = settings.Secret(r, "it is the value, not the id, of a client secret of the app registration", names["secret"]...)
	c.Tenants = allowedTenants(r, "AUTH_"+name+"_ALLOWED_TENANTS", c.Tenant)
	if err := r.Err(); err != nil {
		return nil, err
	}
	config, err := c.oidc()
	if err != nil {
		return nil, err
	}
	return oidcenv.New(config, settings)
}

// isTenant reports whether tenant is one that [New] takes.
func isTenant(tenant string) bool {
	tenant = strings.ToLower(tenant)
	return slices.Contains([]string{"common", "organizations", "consumers"}, tenant) || guid.MatchString(tenant) || domain.MatchString(tenant)
}

// allowedTenants is nil where the variable is not set. A tenant that is not among its
// own allowed ones would let nobody in.
func allowedTenants(r *envvar.Reader, variable, tenant string) (list []string) {
	value := r.Get(variable)
	if value == "" {
		return nil
	}
	for _, t := range envvar.Split(value) {
		list = append(list, strings.ToLower(t))
	}
	own := strings.ToLower(tenant)
	switch {
	case len(list) == 0 || slices.ContainsFunc(list, func(t string) bool { return !guid.MatchString(t) }):
		r.Problem(&envvar.Error{Variable: variable, Problem: "is not a list of tenants", Cure: "name each by its Directory (tenant) ID, a GUID, separated by commas"})
	case guid.MatchString(own) && !slices.Contains(list, own), own == "consumers" && !slices.Contains(list, PersonalTenant):
		r.Problem(&envvar.Error{Variable: variable, Problem: "does not name the tenant that people sign in with, and would let nobody in", Cure: "add it, or unset the variable; for people of several tenants the tenant is common or organizations"})
	}
	return list
}

// https, or http to a stand-in on this machine.
var origin = regexp.MustCompile(`^(https://|http://(localhost|127\.0\.0\.1|\[::1\])[:/])`)

// splitIssuer takes https://login.microsoftonline.com/<tenant>/v2.0 apart. The error is
// an [*envvar.Error].
func splitIssuer(issuer string) (base, tenant string, err error) {
	rest, ok := strings.CutSuffix(strings.TrimRight(issuer, "/"), "/v2.0")
	i := strings.LastIndexByte(rest, '/')
	if !ok || i < len("https://") || !origin.MatchString(issuer) || strings.ContainsAny(issuer, "@?#") || !isTenant(rest[i+1:]) {
		return "", "", &envvar.Error{Variable: "AUTH_MICROSOFT_ENTRA_ID_ISSUER", Problem: "is not an issuer of Entra ID", Cure: "write it like https://login.microsoftonline.com/<tenant id>/v2.0"}
	}
	if isAt(rest[:i], b2cHost) {
		return "", "", &envvar.Error{Variable: "AUTH_MICROSOFT_ENTRA_ID_ISSUER", Problem: "is an issuer of Azure AD B2C, which is another service", Cure: "use generic-oidc, with GENERIC_OIDC_ISSUER set to it and AUTH_GENERIC_OIDC_DISCOVERY_URL to the address of the policy's metadata"}
	}
	return rest[:i], rest[i+1:], nil
}

var mark = auth.Mark{ViewBox: "0 0 24 24", Paths: []auth.Path{
	{D: "M1.92 1.92h9.6v9.6H1.92z", Fill: "#F25022"},
	{D: "M12.48 1.92h9.6v9.6H12.48z", Fill: "#7FBA00"},
	{D: "M1.92 12.48h9.6v9.6H1.92z", Fill: "#00A4EF"},
	{D: "M12.48 12.48h9.6v9.6H12.48z", Fill: "#FFB900"},
}}
