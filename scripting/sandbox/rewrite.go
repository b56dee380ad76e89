package sandbox

import (
	"errors"

	"github.com/yuin/gopher-lua/ast"
)

// The functions that rewritten code calls. They are locals of a function
// around the chunk, under names that no source can spell.
const (
	nameConcat = "(concat)"
	nameStore  = "(store)"
	nameGlobal = "(global)"
	nameTable  = "(table)"
	nameFunc   = "(function)"
	nameLine   = "(line)"
)

// guardNames is their order as parameters of that function.
var guardNames = []string{nameConcat, nameStore, nameGlobal, nameTable, nameFunc, nameLine}

// requirePrefix marks names of required modules among the mentions.
const requirePrefix = "require "

// maxDepth is how deep expressions and blocks may be nested.
const maxDepth = 1000

var errDeep = errors.New("expressions or blocks are nested too deeply")

// rewriter rewrites one chunk. Owned by compile.
type rewriter struct {
	fn       *function // the innermost
	mentions map[string]bool
	names    map[string]bool
	lines    map[int]bool
	upvalues bool
	coverage bool
	depth    int
}

// deeper panics with errDeep below maxDepth; what it returns is called on the
// way back.
func (r *rewriter) deeper() func() {
	if r.depth++; r.depth > maxDepth {
		panic(errDeep)
	}
	return func() { r.depth-- }
}

// function is a function body being rewritten.
type function struct {
	outer  *function
	blocks []map[string]bool // locals of each open block
}

func (r *rewriter) open()  { r.fn.blocks = append(r.fn.blocks, map[string]bool{}) }
func (r *rewriter) close() { r.fn.blocks = r.fn.blocks[:len(r.fn.blocks)-1] }

func (r *rewriter) declare(names ...string) {
	for _, n := range names {
		r.fn.blocks[len(r.fn.blocks)-1][n] = true
	}
}

// resolve says where a name lives: in this function, in an enclosing one, or
// nowhere, which is a global.
func (r *rewriter) resolve(name string) (local, upvalue bool) {
	for f := r.fn; f != nil; f = f.outer {
		for _, b := range f.blocks {
			if b[name] {
				return f == r.fn, f != r.fn
			}
		}
	}
	return false, false
}

// chunk wraps the statements: a function of the guards that returns the chunk
// as a function.
func (r *rewriter) chunk(stmts []ast.Stmt) []ast.Stmt {
	r.fn = &function{blocks: []map[string]bool{{}}}
	line := 1
	if len(stmts) > 0 {
		line = stmts[0].Line()
	}
	last := line
	if n := len(stmts); n > 0 {
		last = max(stmts[n-1].LastLine(), stmts[n-1].Line())
	}
	body := &ast.FunctionExpr{ParList: &ast.ParList{HasVargs: true}, Stmts: r.block(stmts)}
	body.SetLine(line)
	body.SetLastLine(last)
	inner := &ast.ReturnStmt{Exprs: []ast.Expr{body}}
	outer := &ast.FunctionExpr{ParList: &ast.ParList{Names: guardNames}, Stmts: []ast.Stmt{inner}}
	ret := &ast.ReturnStmt{Exprs: []ast.Expr{outer}}
	for _, n := range []ast.PositionHolder{inner, outer, ret} {
		n.SetLine(line)
		n.SetLastLine(last)
	}
	return []ast.Stmt{ret}
}

// at gives a made node the place of the node it stands for.
func at[T ast.PositionHolder](n T, like ast.PositionHolder) T {
	n.SetLine(like.Line())
	n.SetLastLine(max(like.LastLine(), like.Line()))
	return n
}

func ident(name string, like ast.PositionHolder) ast.Expr {
	return at(&ast.IdentExpr{Value: name}, like)
}

func str(s string, like ast.PositionHolder) ast.Expr { return at(&ast.StringExpr{Value: s}, like) }

// guard is a call of one of the guards.
func guard(name string, like ast.PositionHolder, args ...ast.Expr) *ast.FuncCallExpr {
	// One value, and never a tail call, which would lose the line.
	return at(&ast.FuncCallExpr{Func: ident(name, like), Args: args, AdjustRet: true}, like)
}

func (r *rewriter) exprs(list []ast.Expr) {
	for i := range list {
		list[i] = r.expr(list[i])
	}
}

// expr rewrites an expression.
func (r *rewriter) expr(e ast.Expr) ast.Expr {
	defer r.deeper()()
	switch x := e.(type) {
	case *ast.StringExpr:
		r.names[x.Value] = true
	case *ast.IdentExpr:
		if local, up := r.resolve(x.Value); !local && !up {
			r.mentions[x.Value] = true
		}
	case *ast.AttrGetExpr:
		x.Object, x.Key = r.expr(x.Object), r.expr(x.Key)
	case *ast.TableExpr:
		return r.table(x)
	case *ast.FuncCallExpr:
		r.call(x)
	case *ast.LogicalOpExpr:
		x.Lhs, x.Rhs = r.expr(x.Lhs), r.expr(x.Rhs)
	case *ast.RelationalOpExpr:
		x.Lhs, x.Rhs = r.expr(x.Lhs), r.expr(x.Rhs)
	case *ast.ArithmeticOpExpr:
		x.Lhs, x.Rhs = r.expr(x.Lhs), r.expr(x.Rhs)
	case *ast.StringConcatOpExpr:
		return guard(nameConcat, x, r.operands(x)...)
	case *ast.UnaryMinusOpExpr:
		x.Expr = r.expr(x.Expr)
	case *ast.UnaryNotOpExpr:
		x.Expr = r.expr(x.Expr)
	case *ast.UnaryLenOpExpr:
		x.Expr = r.expr(x.Expr)
	case *ast.FunctionExpr:
		r.function(x)
		return guard(nameFunc, x, x)
	}
	return e
}

// operands flattens a .. b .. c, which associates to the right. Only the last
// operand of a call keeps several values, so a call there is cut to one.
func (r *rewriter) operands(x *ast.StringConcatOpExpr) (list []ast.Expr) {
	for {
		list = append(list, single(r.expr(x.Lhs)))
		next, ok := x.Rhs.(*ast.StringConcatOpExpr)
		if !ok || len(list) == 60 { // the rest is a concatenation of its own
			return append(list, single(r.expr(x.Rhs)))
		}
		x = next
	}
}

// single makes an expression yield exactly one value.
func single(e ast.Expr) ast.Expr {
	switch x := e.(type) {
	case *ast.FuncCallExpr:
		x.AdjustRet = true
	case *ast.Comma3Expr:
		x.AdjustRet = true
	}
	return e
}

func (r *rewriter) table(x *ast.TableExpr) ast.Expr {
	for _, f := range x.Fields {
		if f.Key != nil {
			f.Key = r.expr(f.Key)
		}
		f.Value = r.expr(f.Value)
	}
	return guard(nameTable, x, x)
}

func (r *rewriter) call(x *ast.FuncCallExpr) {
	if id, ok := x.Func.(*ast.IdentExpr); ok && id.Value == "require" && len(x.Args) == 1 {
		if s, ok := x.Args[0].(*ast.StringExpr); ok {
			r.mentions[requirePrefix+s.Value] = true
		}
	}
	if x.Func != nil {
		x.Func = r.expr(x.Func)
	}
	if x.Receiver != nil {
		x.Receiver = r.expr(x.Receiver)
	}
	r.exprs(x.Args)
}

// function rewrites the body of a function.
func (r *rewriter) function(x *ast.FunctionExpr) {
	r.fn = &function{outer: r.fn, blocks: []map[string]bool{{}}}
	r.declare(x.ParList.Names...)
	if x.ParList.HasVargs {
		r.declare("arg") // a local of such functions in Lua 5.1
	}
	x.Stmts = r.block(x.Stmts)
	r.fn = r.fn.outer
}
