package auth_test

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/doc"
	"go/parser"
	"go/printer"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestAPI compares what the module exports with what is written down, so that nothing is
// added, changed or taken away unseen: every line of the difference is a decision about
// other people's programs. And it wants a sentence about each name.
func TestAPI(t *testing.T) {
	var api []string
	require.NoError(t, filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.IsDir() {
			return err
		}
		name := d.Name()
		_, module := os.Stat(filepath.Join(path, "go.mod"))
		if path != "." && (module == nil || name == "internal" || name == "examples" || name == "testdata" || strings.HasPrefix(name, ".")) {
			return filepath.SkipDir
		}
		lines, err := exported(path)
		assert.NoError(t, err)
		api = append(api, lines...)
		return nil
	}))
	text := strings.Join(api, "\n") + "\n"
	const file = "testdata/api.txt"
	if *update {
		require.NoError(t, os.WriteFile(file, []byte(text), 0o644)) // #nosec G306 -- it is committed
	}
	want, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, strings.Split(string(want), "\n"), strings.Split(text, "\n"), "go test -run TestAPI . -update, and look at the difference")
}

// exported are the names of one package, a line each, sorted. The error names those of
// which nothing is said.
func exported(dir string) (lines []string, err error) {
	files := token.NewFileSet()
	names, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		return nil, err
	}
	var parsed []*ast.File
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(files, name, nil, parser.ParseComments)
		if err != nil {
			return nil, err
		}
		parsed = append(parsed, f)
	}
	var silent []string
	if len(parsed) > 0 && parsed[0].Name.Name != "main" {
		d, err := doc.NewFromFiles(files, parsed, filepath.ToSlash(dir))
		if err != nil {
			return nil, err
		}
		show := func(node any) string {
			var b bytes.Buffer
			_ = printer.Fprint(&b, files, node)
			return strings.Join(strings.Fields(b.String()), " ")
		}
		add := func(what, text string) {
			lines = append(lines, filepath.ToSlash(dir)+": "+what)
			if strings.TrimSpace(text) == "" {
				silent = append(silent, dir+": "+what)
			}
		}
		values := func(kind string, list []*doc.Value) {
			for _, v := range list {
				for _, spec := range v.Decl.Specs {
					s := spec.(*ast.ValueSpec)
					for _, n := range s.Names {
						if n.IsExported() {
							add(kind+" "+n.Name, v.Doc+s.Doc.Text()+s.Comment.Text())
						}
					}
				}
			}
		}
		funcs := func(list []*doc.Func) {
			for _, f := range list {
				f.Decl.Doc, f.Decl.Body = nil, nil
				add(show(f.Decl), f.Doc)
			}
		}
		values("const", d.Consts)
		values("var", d.Vars)
		funcs(d.Funcs)
		for _, typ := range d.Types {
			spec := typ.Decl.Specs[0].(*ast.TypeSpec)
			switch u := spec.Type.(type) {
			case *ast.StructType:
				add("type "+typ.Name+" struct", typ.Doc)
				for _, f := range u.Fields.List {
					text := f.Doc.Text() + f.Comment.Text()
					for _, n := range f.Names {
						add("type "+typ.Name+" struct, "+n.Name+" "+show(f.Type), text+inGroup(u.Fields.List, f))
					}
					if len(f.Names) == 0 {
						add("type "+typ.Name+" struct, embedded "+show(f.Type), "as its type says")
					}
				}
			case *ast.InterfaceType:
				add("type "+typ.Name+" interface", typ.Doc)
				for _, m := range u.Methods.List {
					for _, n := range m.Names {
						add("type "+typ.Name+" interface, "+n.Name+strings.TrimPrefix(show(m.Type), "func"), m.Doc.Text()+m.Comment.Text()+typ.Doc)
					}
					if len(m.Names) == 0 {
						add("type "+typ.Name+" interface, embedded "+show(m.Type), "as its type says")
					}
				}
			default:
				add("type "+typ.Name+map[bool]string{true: " = ", false: " "}[spec.Assign.IsValid()]+show(spec.Type), typ.Doc)
			}
			values("const", typ.Consts)
			values("var", typ.Vars)
			funcs(typ.Funcs)
			funcs(typ.Methods)
		}
	}
	slices.Sort(lines)
	if silent != nil {
		return nil, fmt.Errorf("nothing is said of:\n%s", strings.Join(silent, "\n"))
	}
	return lines, nil
}

// inGroup is what is said of the fields right above f, which are one group with it.
func inGroup(fields []*ast.Field, f *ast.Field) string {
	i := slices.Index(fields, f)
	for ; i > 0; i-- {
		if text := fields[i].Doc.Text() + fields[i].Comment.Text(); text != "" {
			return text
		}
	}
	return fields[0].Doc.Text() + fields[0].Comment.Text()
}
