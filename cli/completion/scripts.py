"""The completion scripts for bash, zsh and fish: each asks `rolecall` itself what to offer."""

from __future__ import annotations

# Each script passes the command line up to the cursor and reads `WORD<TAB>SUMMARY` lines back.
# Where rolecall exits with another status than 0, a file is to be named: the shell completes it.
BASH = r"""# rolecall completion for bash. Load it with: source <(rolecall completion bash)
_rolecall() {
    local line=${COMP_LINE:0:COMP_POINT} breaks=${COMP_WORDBREAKS//[^:=]/} word taken= value offers
    word=${line##*[[:blank:]]}
    # bash counts what stands before a : or = as an earlier word, so offer only what follows it
    [[ -n $breaks ]] && taken=${word%"${word##*[$breaks]}"}
    COMPREPLY=()
    offers=$(_ROLECALL_COMPLETE=$line "$1" 2>/dev/null) || return
    compopt +o default 2>/dev/null
    while IFS=$'\t' read -r value _; do
        [[ -n $value ]] && COMPREPLY+=("${value#"$taken"}")
    done <<<"$offers"
}
complete -o default -F _rolecall rolecall
"""

ZSH = r"""#compdef rolecall
# rolecall completion for zsh. Load it with: source <(rolecall completion zsh)
# or save it as _rolecall in a folder of $fpath.
_rolecall() {
    local -a offers
    local found line word summary
    if ! found=$(_ROLECALL_COMPLETE="${(j: :)words[1,CURRENT-1]} $PREFIX" ${words[1]} 2>/dev/null)
    then
        _files
        return
    fi
    for line in ${(f)found}; do
        word=${line%%$'\t'*}
        summary=${line#*$'\t'}
        # A word without a summary gets no colon, or zsh would show it with an empty one.
        offers+=("${word//:/\\:}${summary:+:$summary}")
    done
    _describe -V rolecall offers
}
if [[ $zsh_eval_context[-1] == loadautofunc ]]; then
    _rolecall "$@"
else
    compdef _rolecall rolecall
fi
"""

FISH = r"""# rolecall completion for fish. Save it as ~/.config/fish/completions/rolecall.fish
function __rolecall_offers
    set -l line (commandline --current-process --cut-at-cursor)
    set -l offers (env _ROLECALL_COMPLETE="$line" rolecall 2>/dev/null)
    if test $status -ne 0
        __fish_complete_path (commandline --current-token --cut-at-cursor)
    else if test (count $offers) -gt 0
        printf '%s\n' $offers
    end
end
complete --command rolecall --no-files --keep-order --arguments '(__rolecall_offers)'
"""

SCRIPTS = {"bash": BASH, "zsh": ZSH, "fish": FISH}
