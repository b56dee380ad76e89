package sandbox

import (
	"strconv"

	"github.com/yuin/gopher-lua/ast"
)

// block rewrites the statements of a block, in a scope of their own.
func (r *rewriter) block(stmts []ast.Stmt) []ast.Stmt {
	defer r.deeper()()
	r.open()
	out := r.stmts(stmts)
	r.close() // not deferred: on the way out of a panic the block may be another function's
	return out
}

func (r *rewriter) stmts(stmts []ast.Stmt) (out []ast.Stmt) {
	for _, s := range stmts {
		if _, label := s.(*ast.LabelStmt); !label {
			r.lines[s.Line()] = true
			if r.coverage {
				line := at(&ast.NumberExpr{Value: strconv.Itoa(s.Line())}, s)
				out = append(out, at(&ast.FuncCallStmt{Expr: guard(nameLine, s, line)}, s))
			}
		}
		if isTailCall(s) { // the interpreter's trace has a line for each
			out = append(out, at(&ast.FuncCallStmt{Expr: guard(nameFunc, s)}, s))
		}
		if isLocalFunction(s) { // its closure is made without a guard around it
			out = append(out, at(&ast.FuncCallStmt{Expr: guard(nameFunc, s)}, s))
		}
		out = append(out, r.stmt(s))
	}
	return out
}

func isTailCall(s ast.Stmt) bool {
	x, ok := s.(*ast.ReturnStmt)
	if !ok || len(x.Exprs) != 1 {
		return false
	}
	call, ok := x.Exprs[0].(*ast.FuncCallExpr)
	return ok && !call.AdjustRet
}

// isLocalFunction: the name of a local function is known inside it. The parser
// makes LocalAssignStmt of local function f() end and of local f = function()
// end; that in the second the name is known a little early harms nobody.
func isLocalFunction(s ast.Stmt) bool {
	x, ok := s.(*ast.LocalAssignStmt)
	if !ok || len(x.Names) != 1 || len(x.Exprs) != 1 {
		return false
	}
	_, ok = x.Exprs[0].(*ast.FunctionExpr)
	return ok
}

func (r *rewriter) stmt(s ast.Stmt) ast.Stmt {
	switch x := s.(type) {
	case *ast.AssignStmt:
		r.exprs(x.Rhs)
		return r.assign(x)
	case *ast.LocalAssignStmt:
		r.localAssign(x)
	case *ast.FuncCallStmt:
		r.call(x.Expr.(*ast.FuncCallExpr))
	case *ast.DoBlockStmt:
		x.Stmts = r.block(x.Stmts)
	case *ast.WhileStmt:
		x.Condition = r.expr(x.Condition)
		x.Stmts = r.block(x.Stmts)
	case *ast.RepeatStmt:
		r.open() // the condition sees the locals of the body
		x.Stmts = r.stmts(x.Stmts)
		x.Condition = r.expr(x.Condition)
		r.close()
	case *ast.IfStmt:
		x.Condition = r.expr(x.Condition)
		x.Then, x.Else = r.block(x.Then), r.block(x.Else)
	case *ast.NumberForStmt:
		x.Init, x.Limit = r.expr(x.Init), r.expr(x.Limit)
		if x.Step != nil {
			x.Step = r.expr(x.Step)
		}
		r.open()
		r.declare(x.Name)
		x.Stmts = r.block(x.Stmts)
		r.close()
	case *ast.GenericForStmt:
		r.exprs(x.Exprs)
		r.open()
		r.declare(x.Names...)
		x.Stmts = r.block(x.Stmts)
		r.close()
	case *ast.FuncDefStmt:
		return r.funcDef(x)
	case *ast.ReturnStmt:
		r.exprs(x.Exprs)
	}
	return s
}

// localAssign rewrites local a, b = x, y.
func (r *rewriter) localAssign(x *ast.LocalAssignStmt) {
	if isLocalFunction(x) {
		r.declare(x.Names[0])
		r.function(x.Exprs[0].(*ast.FunctionExpr))
		return
	}
	r.exprs(x.Exprs)
	r.declare(x.Names...)
}

// funcDef makes an assignment of function a.b:c() end.
func (r *rewriter) funcDef(x *ast.FuncDefStmt) ast.Stmt {
	target := x.Name.Func
	if x.Name.Method != "" {
		target = at(&ast.AttrGetExpr{Object: x.Name.Receiver, Key: str(x.Name.Method, x)}, x)
		x.Func.ParList.Names = append([]string{"self"}, x.Func.ParList.Names...)
	}
	set := at(&ast.AssignStmt{Lhs: []ast.Expr{target}, Rhs: []ast.Expr{r.expr(x.Func)}}, x)
	return r.assign(set)
}

// assign rewrites an assignment whose right side is rewritten already: stores
// into tables and globals become calls of guards.
func (r *rewriter) assign(x *ast.AssignStmt) ast.Stmt {
	stores := false
	for _, l := range x.Lhs {
		if id, ok := l.(*ast.IdentExpr); ok {
			if local, up := r.resolve(id.Value); local || up {
				r.upvalues = r.upvalues || up
				continue
			}
		}
		stores = true
	}
	if !stores && len(x.Lhs) == 1 {
		return x
	}
	if len(x.Lhs) == 1 && len(x.Rhs) == 1 {
		return r.storeStmt(r.target(x.Lhs[0]), single(x.Rhs[0]), x)
	}
	return r.several(x)
}

// place is where an assignment stores: a table and a key, a global, or a local.
type place struct {
	object, key ast.Expr
	global      string
	local       *ast.IdentExpr
}

func (r *rewriter) target(l ast.Expr) place {
	switch x := l.(type) {
	case *ast.AttrGetExpr:
		return place{object: single(r.expr(x.Object)), key: single(r.expr(x.Key))}
	case *ast.IdentExpr:
		if local, up := r.resolve(x.Value); local || up {
			return place{local: x}
		}
		return place{global: x.Value}
	}
	panic("sandbox: an assignment to neither a name nor a field")
}

func (r *rewriter) storeStmt(p place, value ast.Expr, like ast.PositionHolder) ast.Stmt {
	switch {
	case p.local != nil:
		return at(&ast.AssignStmt{Lhs: []ast.Expr{p.local}, Rhs: []ast.Expr{value}}, like)
	case p.object == nil:
		return at(&ast.FuncCallStmt{Expr: guard(nameGlobal, like, str(p.global, like), value)}, like)
	}
	return at(&ast.FuncCallStmt{Expr: guard(nameStore, like, p.object, p.key, value)}, like)
}

// several rewrites a, b.c = x, y: objects, keys and values are evaluated
// before anything is stored, which gopher-lua does not do for locals.
func (r *rewriter) several(x *ast.AssignStmt) ast.Stmt {
	var out []ast.Stmt
	places := make([]place, len(x.Lhs))
	for i, l := range x.Lhs {
		p := r.target(l)
		if p.object != nil {
			object, key := "(object"+strconv.Itoa(i)+")", "(key"+strconv.Itoa(i)+")"
			out = append(out, at(&ast.LocalAssignStmt{Names: []string{object, key}, Exprs: []ast.Expr{p.object, p.key}}, x))
			p.object, p.key = ident(object, x), ident(key, x)
		}
		places[i] = p
	}
	values := make([]string, len(x.Lhs))
	for i := range values {
		values[i] = "(value" + strconv.Itoa(i) + ")"
	}
	out = append(out, at(&ast.LocalAssignStmt{Names: values, Exprs: x.Rhs}, x))
	for i := len(places) - 1; i >= 0; i-- { // as Lua does, from the right
		out = append(out, r.storeStmt(places[i], ident(values[i], x), x))
	}
	return at(&ast.DoBlockStmt{Stmts: out}, x)
}
