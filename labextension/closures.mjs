/**
 * Compiles TypeScript for the bundles, and writes classes as functions that return an object.
 *
 * A private member of a class costs `this.#x` wherever it is used, and no minifier takes that
 * away; as a variable around the public members it costs a letter. Classes that extend another
 * one stay as they are. What cannot be written so ends the build, instead of meaning something
 * else.
 */

import ts from 'typescript';

const OPTIONS = { target: ts.ScriptTarget.ESNext, module: ts.ModuleKind.ESNext, sourceMap: true };
const SELF = 'self$';

/** Compile one file to JavaScript and its source map. */
export function compile(code, fileName) {
  const transform = context => source => ts.visitEachChild(source, node => rewrite(node, context), context);
  const { outputText, sourceMapText } = ts.transpileModule(code, {
    fileName,
    compilerOptions: OPTIONS,
    transformers: { before: [transform] }
  });
  return { code: outputText.replace(/\/\/# sourceMappingURL=.*\s*$/, ''), map: sourceMapText };
}

function rewrite(node, context) {
  const isAlone = ts.isClassDeclaration(node) && !node.heritageClauses?.some(c => c.token === ts.SyntaxKind.ExtendsKeyword);
  return isAlone ? new Closure(node, context).write() : node;
}

/** One class, as a function of what its constructor takes. */
class Closure {
  #node;
  #context;
  #f;
  #maker;
  #parameters;
  /** Private parameters of the constructor: members by name, without a `#`. */
  #hidden;

  constructor(node, context) {
    this.#node = node;
    this.#context = context;
    this.#f = context.factory;
    this.#maker = node.members.find(ts.isConstructorDeclaration);
    this.#parameters = [...(this.#maker?.parameters ?? [])];
    this.#hidden = new Set(this.#parameters.filter(isPrivate).map(p => p.name.text));
  }

  write() {
    const f = this.#f;
    const own = this.#node.members.filter(part => !ts.isConstructorDeclaration(part));
    const [hidden, shown] = [own.filter(p => ts.isPrivateIdentifier(p.name)), own.filter(p => !ts.isPrivateIdentifier(p.name))];
    const fields = own.filter(ts.isPropertyDeclaration);
    const body = [
      this.#declare(SELF, f.createObjectLiteralExpression(shown.filter(p => !ts.isPropertyDeclaration(p)).map(p => this.#shown(p)))),
      ...hidden.filter(p => !ts.isPropertyDeclaration(p)).map(p => this.#declare(variable(f, p.name), this.#arrow(p))),
      ...this.#parameters.filter(p => p.modifiers?.length && !isPrivate(p)).map(p => this.#assign(p.name, f.createIdentifier(p.name.text))),
      ...fields.flatMap(part => this.#field(part)),
      ...(this.#maker ? ts.visitEachChild(this.#maker.body, n => this.#inMaker(n), this.#context).statements : []),
      f.createReturnStatement(f.createIdentifier(SELF))
    ];
    const taken = this.#parameters.map(p => {
      const name = isPrivate(p) ? variable(f, p.name) : p.name;
      return f.createParameterDeclaration(undefined, p.dotDotDotToken, name, undefined, undefined, p.initializer);
    });
    const modifiers = this.#node.modifiers?.filter(m => m.kind === ts.SyntaxKind.ExportKeyword);
    return f.createFunctionDeclaration(modifiers, undefined, this.#node.name, undefined, taken, undefined, f.createBlock(body, true));
  }

  #declare(name, value) {
    const declared = this.#f.createVariableDeclaration(name, undefined, undefined, value);
    return this.#f.createVariableStatement(undefined, this.#f.createVariableDeclarationList([declared], ts.NodeFlags.Let));
  }

  #assign(name, value) {
    return this.#f.createExpressionStatement(this.#f.createAssignment(this.#member(name), value));
  }

  #member(name) {
    return this.#f.createPropertyAccessExpression(this.#f.createIdentifier(SELF), name);
  }

  #field(part) {
    const value = part.initializer && ts.visitNode(part.initializer, n => this.#inMember(n));
    if (ts.isPrivateIdentifier(part.name)) {
      return [this.#declare(variable(this.#f, part.name), value)];
    }
    return value ? [this.#assign(part.name, value)] : [];
  }

  #arrow(part) {
    if (!ts.isMethodDeclaration(part) || part.asteriskToken) {
      return this.#refuse(part);
    }
    const [kinds, inputs, body] = this.#insides(part);
    return this.#f.createArrowFunction(kinds, undefined, inputs, undefined, undefined, body);
  }

  #shown(part) {
    const [kinds, inputs, body] = this.#insides(part);
    if (ts.isMethodDeclaration(part) && !part.asteriskToken) {
      return this.#f.createMethodDeclaration(kinds, undefined, part.name, undefined, undefined, inputs, undefined, body);
    }
    if (ts.isGetAccessorDeclaration(part)) {
      return this.#f.createGetAccessorDeclaration(kinds, part.name, inputs, undefined, body);
    }
    return ts.isSetAccessorDeclaration(part) ? this.#f.createSetAccessorDeclaration(kinds, part.name, inputs, body) : this.#refuse(part);
  }

  #insides(part) {
    if (part.modifiers?.some(m => m.kind === ts.SyntaxKind.StaticKeyword)) {
      this.#refuse(part);
    }
    const visit = node => ts.visitNode(node, n => this.#inMember(n));
    return [part.modifiers?.filter(m => m.kind === ts.SyntaxKind.AsyncKeyword), part.parameters.map(visit), visit(part.body)];
  }

  /** What is said of `this`, said of variables. */
  #inMember(node) {
    return this.#own(node) ?? ts.visitEachChild(node, n => this.#inMember(n), this.#context);
  }

  /** In the constructor a private parameter is also known by its bare name. */
  #inMaker(node) {
    const { parent } = node;
    if (ts.isReturnStatement(node) && parent === this.#maker.body) {
      this.#refuse(node);
    }
    if (ts.isShorthandPropertyAssignment(node) && this.#hidden.has(node.name.text)) {
      return this.#f.createPropertyAssignment(node.name.text, variable(this.#f, node.name));
    }
    if (ts.isIdentifier(node) && this.#hidden.has(node.text) && parent.name !== node) {
      return variable(this.#f, node);
    }
    const isHiding = ts.isVariableDeclaration(node) || ts.isParameter(node) || ts.isBindingElement(node);
    if (isHiding && this.#hidden.has(node.name.text)) {
      this.#refuse(node);
    }
    return this.#own(node) ?? ts.visitEachChild(node, n => this.#inMaker(n), this.#context);
  }

  #own(node) {
    if (ts.isPropertyAccessExpression(node) && node.expression.kind === ts.SyntaxKind.ThisKeyword) {
      const isVariable = ts.isPrivateIdentifier(node.name) || this.#hidden.has(node.name.text);
      return isVariable ? variable(this.#f, node.name) : this.#member(node.name);
    }
    if (ts.isPrivateIdentifier(node) || ts.isFunctionExpression(node) || ts.isClassLike(node)) {
      this.#refuse(node);
    }
    return node.kind === ts.SyntaxKind.ThisKeyword ? this.#f.createIdentifier(SELF) : null;
  }

  #refuse(node) {
    throw new Error(`${this.#node.name.text} cannot be written as a function: ${node.getText()}`);
  }
}

function variable(f, name) {
  return f.createIdentifier(`${name.text.replace('#', '')}$`);
}

function isPrivate(parameter) {
  return parameter.modifiers?.some(m => m.kind === ts.SyntaxKind.PrivateKeyword) ?? false;
}
