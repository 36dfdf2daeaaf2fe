"""The completion scripts for bash, zsh and fish: each asks `rolecall` itself what to offer."""

from __future__ import annotations

from pathlib import Path

# Each script passes the command line up to the cursor and reads `WORD<TAB>SUMMARY` lines back.
# Where rolecall offers nothing (a file to name, say), the shell completes file names.
BASH = r"""# rolecall completion for bash. Load it with: source rolecall.bash
_rolecall() {
    local line=${COMP_LINE:0:COMP_POINT} breaks=${COMP_WORDBREAKS//[^:=]/} word taken= value
    word=${line##*[[:blank:]]}
    # bash counts what stands before a : or = as an earlier word, so offer only what follows it
    [[ -n $breaks ]] && taken=${word%"${word##*[$breaks]}"}
    COMPREPLY=()
    while IFS=$'\t' read -r value _; do
        COMPREPLY+=("${value#"$taken"}")
    done < <(_ROLECALL_COMPLETE=$line "$1" 2>/dev/null)
}
complete -o default -F _rolecall rolecall
"""

ZSH = r"""#compdef rolecall
# rolecall completion for zsh. Install it as _rolecall in a folder of $fpath, or source it.
_rolecall() {
    local -a offers
    local line value
    for line in ${(f)"$(_ROLECALL_COMPLETE="${(j: :)words[1,CURRENT-1]} $PREFIX" \
            ${words[1]} 2>/dev/null)"}; do
        value=${line%%$'\t'*}
        offers+=("${value//:/\\:}:${line#*$'\t'}")
    done
    if (( ${#offers} )); then
        _describe -V rolecall offers
    else
        _files
    fi
}
if [[ $zsh_eval_context[-1] == loadautofunc ]]; then
    _rolecall "$@"
else
    compdef _rolecall rolecall
fi
"""

FISH = r"""# rolecall completion for fish. Install it as ~/.config/fish/completions/rolecall.fish
function __rolecall_offers
    set -l line (commandline --current-process --cut-at-cursor)
    set -l offers (env _ROLECALL_COMPLETE="$line" rolecall 2>/dev/null)
    if test (count $offers) -gt 0
        printf '%s\n' $offers
    else
        __fish_complete_path (commandline --current-token --cut-at-cursor)
    end
end
complete --command rolecall --no-files --keep-order --arguments '(__rolecall_offers)'
"""

SCRIPTS = {"rolecall.bash": BASH, "rolecall.zsh": ZSH, "rolecall.fish": FISH}


def write_scripts(folder: Path) -> None:
    """Write the three completion scripts into `folder`."""
    for name, script in SCRIPTS.items():
        (folder / name).write_text(script)
