// The client of `journey lsp`: it starts the server, and runs verbs of the tool on request.

import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import * as path from "node:path";
import * as vscode from "vscode";
import { LanguageClient, TransportKind, type Executable } from "vscode-languageclient/node";

let client: LanguageClient | undefined;

export async function activate(context: vscode.ExtensionContext): Promise<void> {
  const log = vscode.window.createOutputChannel("Journey", { log: true });
  const commands: Record<string, () => Promise<void>> = {
    "journey.test": runTests,
    "journey.simulate": () => simulate(log),
    "journey.preview": () => preview(log),
    "journey.restart": () => restart(log),
  };
  for (const [name, run] of Object.entries(commands)) {
    context.subscriptions.push(vscode.commands.registerCommand(name, () => guarded(run)));
  }
  context.subscriptions.push(
    log,
    vscode.workspace.onDidChangeConfiguration((event) => {
      if (["command", "environment"].some((key) => event.affectsConfiguration(`journey.${key}`))) void guarded(() => restart(log));
    }),
    vscode.workspace.onDidGrantWorkspaceTrust(() => void guarded(() => restart(log))),
  );
  await guarded(() => restart(log));
}

export async function deactivate(): Promise<void> {
  await client?.dispose();
  client = undefined;
}

/** What goes wrong is said to whoever asked; nothing is thrown into the editor. */
async function guarded(run: () => Promise<void>): Promise<void> {
  try {
    await run();
  } catch (error) {
    void vscode.window.showErrorMessage(error instanceof Error ? error.message : String(error));
  }
}

/** The words that start the tool: as set, or of the folder's own environment, or of the path. */
function command(folder: vscode.WorkspaceFolder | undefined): [string, ...string[]] {
  const set = vscode.workspace.getConfiguration("journey", folder?.uri).inspect<string[]>("command");
  const named = set?.workspaceFolderValue ?? set?.workspaceValue ?? set?.globalValue;
  const [first, ...rest] = named ?? [];
  if (first !== undefined) return [first, ...rest];
  const inside = process.platform === "win32" ? ["Scripts", "journey.exe"] : ["bin", "journey"];
  const own = folder && path.join(folder.uri.fsPath, ".venv", ...inside);
  return [own !== undefined && existsSync(own) ? own : "journey"];
}

async function restart(log: vscode.LogOutputChannel): Promise<void> {
  await deactivate();
  if (!vscode.workspace.isTrusted) return;
  const folder = vscode.workspace.workspaceFolders?.[0];
  const [program, ...rest] = command(folder);
  const environment = vscode.workspace.getConfiguration("journey", folder?.uri).get("environment", "dev");
  const server: Executable = {
    command: program,
    args: [...rest, "lsp", "--env", environment],
    transport: TransportKind.stdio,
    ...(folder && { options: { cwd: folder.uri.fsPath } }),
  };
  const started = new LanguageClient("journey", "Journey", server, {
    documentSelector: [
      { language: "journey" },
      { scheme: "file", pattern: "**/templates/**/*.{html,mjml,txt,md}" },
    ],
    synchronize: {
      fileEvents: vscode.workspace.createFileSystemWatcher("**/{*.journey,journey.toml,provider.toml,templates/**}"),
    },
    outputChannel: log,
  });
  try {
    await started.start();
    client = started;
  } catch (error) {
    log.error(String(error));
    const chosen = await vscode.window.showErrorMessage(
      `\`${[program, ...rest].join(" ")} lsp\` did not start. Install it with pip install 'journeylang[lsp]', or set journey.command.`,
      "Settings",
    );
    if (chosen) await vscode.commands.executeCommand("workbench.action.openSettings", "journey.command");
  }
}

/** The project of the file in the editor: the nearest folder upwards with a journey.toml. */
function project(): { root: string; folder: vscode.WorkspaceFolder | undefined } {
  const uri = vscode.window.activeTextEditor?.document.uri;
  const folder = uri ? vscode.workspace.getWorkspaceFolder(uri) : vscode.workspace.workspaceFolders?.[0];
  let root = uri ? path.dirname(uri.fsPath) : folder?.uri.fsPath;
  while (root !== undefined && !existsSync(path.join(root, "journey.toml"))) {
    const above = path.dirname(root);
    root = above === root ? undefined : above;
  }
  if (root === undefined) throw new Error("There is no journey.toml here or above: open a file of a project first.");
  return { root, folder };
}

async function runTests(): Promise<void> {
  const { root, folder } = project();
  const [program, ...rest] = command(folder);
  const task = new vscode.Task(
    { type: "journey", verb: "test" },
    folder ?? vscode.TaskScope.Workspace,
    "test",
    "journey",
    new vscode.ProcessExecution(program, [...rest, "test"], { cwd: root }),
  );
  await vscode.tasks.executeTask(task);
}

async function simulate(log: vscode.LogOutputChannel): Promise<void> {
  const { root, folder } = project();
  const days = vscode.workspace.getConfiguration("journey").get<number>("simulateDays", 14);
  const named = journeyInEditor();
  const page = await answer(log, "Dry run", root, folder, [
    "simulate", ...(named ? [named] : []), "--days", String(days), "--output", "html",
  ]);
  show(named ? `Dry run: ${named}` : "Dry run", page);
}

async function preview(log: vscode.LogOutputChannel): Promise<void> {
  const { root, folder } = project();
  const named = journeyInEditor();
  const step = await vscode.window.showInputBox({
    title: "Preview a message", prompt: "The step that sends it", value: named ? `${named}/` : "",
    placeHolder: "welcome/hello",
  });
  if (!step) return;
  const customer = await vscode.window.showInputBox({ title: "Preview a message", prompt: "The customer's key" });
  if (!customer) return;
  const made = await mkdtemp(path.join(tmpdir(), "journey-"));
  try {
    const file = path.join(made, "preview.html");
    await answer(log, "Preview", root, folder, ["preview", step, "--customer", customer, "--output", file]);
    show(`Preview: ${step}`, await readFile(file, "utf8"));
  } finally {
    await rm(made, { recursive: true, force: true });
  }
}

/** The journey that the cursor is in. */
function journeyInEditor(): string | undefined {
  const editor = vscode.window.activeTextEditor;
  if (editor?.document.languageId !== "journey") return undefined;
  for (let at = editor.selection.active.line; at >= 0; at--) {
    const found = /^journey\s+([A-Za-z_]\w*)/.exec(editor.document.lineAt(at).text);
    if (found) return found[1];
  }
  return undefined;
}

/** What a verb prints. Exit code 1 is an answer too. */
function answer(
  log: vscode.LogOutputChannel, title: string, root: string, folder: vscode.WorkspaceFolder | undefined, words: string[],
): Thenable<string> {
  const [program, ...rest] = command(folder);
  return vscode.window.withProgress(
    { location: vscode.ProgressLocation.Notification, title, cancellable: true },
    (_, token) =>
      new Promise<string>((resolve, reject) => {
        const child = execFile(
          program, [...rest, ...words], { cwd: root, maxBuffer: 64 * 1024 * 1024 },
          (error, out, told) => {
            if (told) log.info(told);
            if (token.isCancellationRequested) reject(new Error(`${title}: stopped.`));
            else if (error && error.code !== 1) {
              reject(new Error(`${title}: ${told.trim().split("\n")[0] || error.message}`));
            } else resolve(out);
          },
        );
        token.onCancellationRequested(() => child.kill());
      }),
  );
}

/** A page of the tool's own, in which nothing runs and nothing is fetched. */
function show(title: string, page: string): void {
  const panel = vscode.window.createWebviewPanel("journey", title, vscode.ViewColumn.Beside, {
    enableScripts: false, localResourceRoots: [],
  });
  panel.webview.html = page;
}
