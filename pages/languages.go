package pages

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Languages are those among which a browser chooses. They are safe for concurrent use.
type Languages struct {
	byTag map[string]*Language // in lower case, with tags that stand for a variant
}

var builtIn = &Languages{map[string]*Language{
	"en": english, "de": german, "es": spanish, "fr": french, "ja": japanese,
	"zh": chinese, "zh-hans": chinese,
	"zh-hant": traditionalChinese, "zh-tw": traditionalChinese, "zh-hk": traditionalChinese, "zh-mo": traditionalChinese,
}}

// Match is [Languages.Match] among those of this package. Nobody may change what it
// returns.
func Match(acceptLanguage string) *Language { return builtIn.Match(acceptLanguage) }

// NewLanguages returns the languages of this package, "en", "de", "es", "fr", "ja",
// "zh-Hans" and "zh-Hant", with those of list. One that has the tag of another changes its
// words, and any other is added. What it leaves empty is as in the language that was there
// for its tag: for "de-CH" that is German, and for "pt" English.
//
// The error joins every problem of list: a tag that is none, or that comes twice, a text
// that has not the %s or %d of the English one, a problem that there is not.
func NewLanguages(list ...Language) (*Languages, error) {
	s, seen := &Languages{maps.Clone(builtIn.byTag)}, map[string]bool{}
	var errs []error
	for _, l := range list {
		tag := strings.ToLower(l.Tag)
		if err := l.check(); err != nil {
			errs = append(errs, err)
		} else if seen[tag] {
			errs = append(errs, fmt.Errorf("%q is there twice", l.Tag))
		} else {
			s.add(tag, l)
		}
		seen[tag] = true
	}
	return s, errors.Join(errs...)
}

// languageTag is of a language, with a script, a region and variants: what pages differ
// by, of RFC 5646 2.1.
var languageTag = regexp.MustCompile(`^(?i)[a-z]{2,3}(-[a-z]{4})?(-([a-z]{2}|[0-9]{3}))?(-([a-z0-9]{5,8}|[0-9][a-z0-9]{3}))*$`)

// verb is what [fmt.Sprintf] would take for one.
var verb = regexp.MustCompile(`(?s)%.?`)

func (l *Language) check() error {
	if len(l.Tag) > 35 || !languageTag.MatchString(l.Tag) { // RFC 5646 4.4.1
		return fmt.Errorf("%.40q is no language tag: want one such as pt or pt-BR", l.Tag)
	}
	var errs []error
	words, want := reflect.ValueOf(l.Words), reflect.ValueOf(english.Words)
	for i := range words.NumField() {
		verbs := verb.FindAllString(want.Field(i).String(), -1)
		if text := words.Field(i).String(); text != "" && verbs != nil && !slices.Equal(verbs, verb.FindAllString(text, -1)) {
			errs = append(errs, fmt.Errorf("%s: Words.%s wants %s once, and no other %%", l.Tag, words.Type().Field(i).Name, verbs[0]))
		}
	}
	for code := range l.Problems {
		if _, ok := english.Problems[code]; !ok {
			errs = append(errs, fmt.Errorf("%s: Problems has %.40q: want one of %s", l.Tag, code, slices.Sorted(maps.Keys(english.Problems))))
		}
	}
	return errors.Join(errs...)
}

// add takes l in, whose tag in lower case is tag.
func (s *Languages) add(tag string, l Language) {
	base := cmp.Or(s.lookUp(tag), s.byTag["en"])
	problems := maps.Clone(base.Problems)
	for code, p := range l.Problems {
		problems[code] = Problem{cmp.Or(p.Title, problems[code].Title), cmp.Or(p.Text, problems[code].Text)}
	}
	l.Problems = problems
	words, inherited := reflect.ValueOf(&l.Words).Elem(), reflect.ValueOf(base.Words)
	for i := range words.NumField() {
		if words.Field(i).String() == "" {
			words.Field(i).Set(inherited.Field(i))
		}
	}
	if strings.EqualFold(base.Tag, tag) {
		l.Tag = base.Tag
		for alias, language := range s.byTag {
			if language == base {
				s.byTag[alias] = &l
			}
		}
	}
	s.byTag[tag] = &l
	if primary, _, _ := strings.Cut(tag, "-"); s.byTag[primary] == nil {
		s.byTag[primary] = &l
	}
}

// lookUp is Lookup of RFC 4647 3.4: of a tag in lower case less and less counts. It is nil
// where there is no such language.
func (s *Languages) lookUp(tag string) *Language {
	for {
		if l := s.byTag[tag]; l != nil {
			return l
		}
		last := strings.LastIndexByte(tag, '-')
		if last < 0 {
			return nil
		}
		tag = tag[:last]
	}
}

// maxAcceptLanguage bounds what is read of the header. No browser sends as much.
const maxAcceptLanguage = 1 << 10

// Match returns the language that the browser likes best of those that there
// are, going by its Accept-Language header (RFC 9110 12.5.4): English where that
// says nothing, or nothing that can be read. A variant that there is not, such as de-AT,
// is its language; zh-TW, zh-HK and zh-MO are zh-Hant, and zh otherwise is zh-Hans.
func (s *Languages) Match(acceptLanguage string) *Language {
	best, bestQ := s.byTag["en"], 0.0
	if len(acceptLanguage) > maxAcceptLanguage {
		return best
	}
	for item := range strings.SplitSeq(acceptLanguage, ",") {
		tag, params, _ := strings.Cut(strings.TrimSpace(item), ";")
		q := 1.0
		if v, ok := strings.CutPrefix(strings.TrimSpace(params), "q="); ok {
			var err error
			if q, err = strconv.ParseFloat(v, 64); err != nil {
				continue
			}
		}
		if l := s.lookUp(strings.ToLower(strings.TrimSpace(tag))); l != nil && q > bestQ {
			best, bestQ = l, q
		}
	}
	return best
}
