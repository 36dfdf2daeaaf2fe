# rolecall completion for bash. Load it with: source <(rolecall completion bash)
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
