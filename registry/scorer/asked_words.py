"""The words by which prompts in many languages ask for a length."""

from __future__ import annotations

from dataclasses import dataclass

UNITS = ("word", "sentence", "paragraph", "bullet", "line", "page", "character")


@dataclass(frozen=True, slots=True)
class Language:
    """How a language that writes spaces asks for a length; words in lower case.

    `numbers` are the words for 1 to 12, `;` between numbers and `,` between forms of one.
    `units` are the words for each of `UNITS`. `verbs` ask for a list, `reductions` for another's
    text made shorter; `prepositions` introduce the length of an answer. What `before` says
    directly before a number makes it no request. `tokens` are those of one word. With
    `articles`, the word for 1 is often none, and counts only where something introduces it.
    """

    numbers: str
    units: tuple[str, ...]
    verbs: str
    reductions: str
    prepositions: str
    before: str
    at_most: str
    at_least: str
    each: str
    yes_or_no: str
    thousand: str = ""
    hundred: str = ""
    tokens: float = 1.7
    articles: bool = False


LANGUAGES = {
    "en": Language(
        numbers="one,single,a,an;two;three;four;five;six;seven;eight;nine;ten;eleven;twelve",
        units=(
            "word words",
            "sentence sentences",
            "paragraph paragraphs",
            "bullet bullets points",
            "line lines verse verses",
            "page pages",
            "character characters",
        ),
        verbs="list name give suggest generate enumerate provide propose write brainstorm top",
        reductions="summarize summarise shorten condense reduce cut trim translate read edit",
        prepositions="in to into with within of using write only exactly as than",
        before="the this that these those my our your his her their its has had have is was were "
        "are contains first last every",
        at_most="most under within maximum max up fewer less limit exceed",
        at_least="least minimum min over more",
        each="each per every",
        yes_or_no="yes or no|yes/no|yes or no?",
        thousand="thousand k",
        hundred="hundred",
        tokens=1.35,
        articles=True,
    ),
    "de": Language(
        numbers="ein,eine,einen,einem,einer,eins;zwei;drei;vier;fünf;sechs;sieben;acht;neun;zehn;"
        "elf;zwölf",
        units=(
            "wort worte wörter worten wörtern",
            "satz sätze sätzen",
            "absatz absätze absätzen",
            "stichpunkt stichpunkte stichpunkten aufzählungspunkte aufzählungspunkten punkten",
            "zeile zeilen",
            "seite seiten",
            "zeichen",
        ),
        verbs="nenne nenn liste gib schreibe schreib zähle top empfiehl schlage finde erstelle",
        reductions="fasse kürze übersetze lies reduziere zusammenfassen",
        prepositions="in mit auf schreibe schreib nur genau von als",
        before="der die das den dem des dieser diese diesen dieses mein meine meinen hat hatte "
        "waren sind ist war ersten letzten",
        at_most="höchstens maximal unter max weniger bis",
        at_least="mindestens über mehr wenigstens",
        each="jeweils je pro jedem jeder",
        yes_or_no="ja oder nein|ja/nein",
        thousand="tausend",
        hundred="hundert",
        tokens=1.8,
        articles=True,
    ),
    "fr": Language(
        numbers="un,une,seul,seule;deux;trois;quatre;cinq;six;sept;huit;neuf;dix;onze;douze",
        units=(
            "mot mots",
            "phrase phrases",
            "paragraphe paragraphes",
            "puce puces points",
            "ligne lignes vers",
            "page pages",
            "caractère caractères signes",
        ),
        verbs="liste lister listez cite citez donne donnez énumère propose proposez écris écrivez "
        "top nomme nommez suggère",
        reductions="résume résumez raccourcis traduis traduisez lis réduis",
        prepositions="en de dans avec écris seulement exactement que à",
        before="le la les ce cet cette ces mon ma mes a avait ont est sont étaient contient "
        "premiers premières derniers dernières",
        at_most="maximum moins max dépasser",
        at_least="minimum minimal plus",
        each="chacun chacune chaque par",
        yes_or_no="oui ou non|oui/non",
        thousand="mille",
        hundred="cent cents",
        articles=True,
    ),
    "es": Language(
        numbers="un,una,uno,sola,solo;dos;tres;cuatro;cinco;seis;siete;ocho;nueve;diez;once;doce",
        units=(
            "palabra palabras",
            "frase frases oración oraciones",
            "párrafo párrafos",
            "viñeta viñetas puntos",
            "línea líneas verso versos",
            "página páginas",
            "carácter caracteres",
        ),
        verbs="lista enumera nombra da dame escribe menciona sugiere propón top cita genera",
        reductions="resume resumen acorta traduce lee reduce condensa",
        prepositions="en de con escribe solo exactamente que a",
        before="el la los las este esta estos estas mi tu su tiene tenía es son eran había hay "
        "contiene primeras últimas primeros",
        at_most="máximo menos max hasta",
        at_least="mínimo más",
        each="cada",
        yes_or_no="sí o no|si o no|sí/no",
        thousand="mil",
        hundred="cien cientos",
        tokens=1.6,
        articles=True,
    ),
    "pt": Language(
        numbers="um,uma,única,único;dois,duas;três;quatro;cinco;seis;sete;oito;nove;dez;onze;doze",
        units=(
            "palavra palavras",
            "frase frases sentença sentenças",
            "parágrafo parágrafos",
            "marcador marcadores tópicos pontos",
            "linha linhas verso versos",
            "página páginas",
            "caractere caracteres",
        ),
        verbs="liste lista listar cite dê dá enumere escreva nomeie sugira top mencione gere",
        reductions="resuma resume encurte traduza leia reduza",
        prepositions="em de com escreva apenas exatamente que numa num a",
        before="o os as este esta esse essa meu minha tem tinha é são eram havia contém primeiras "
        "últimas",
        at_most="máximo menos max até",
        at_least="mínimo mais",
        each="cada",
        yes_or_no="sim ou não|sim/não",
        thousand="mil",
        hundred="cem centos",
        articles=True,
    ),
    "it": Language(
        numbers="un,una,uno,sola,unica;due;tre;quattro;cinque;sei;sette;otto;nove;dieci;undici;"
        "dodici",
        units=(
            "parola parole",
            "frase frasi",
            "paragrafo paragrafi",
            "punto punti elenco",
            "riga righe verso versi",
            "pagina pagine",
            "carattere caratteri",
        ),
        verbs="elenca elencare cita dai dammi nomina scrivi suggerisci top proponi genera",
        reductions="riassumi accorcia traduci leggi riduci",
        prepositions="in di con da scrivi solo esattamente che a per",
        before="il lo la i gli le questo questa questi queste mio mia ha aveva è sono erano prime "
        "ultime",
        at_most="massimo meno max",
        at_least="minimo almeno più",
        each="ciascuno ciascuna ognuno ognuna ogni",
        yes_or_no="sì o no|si o no|sì/no",
        thousand="mila mille",
        hundred="cento",
        articles=True,
    ),
    "nl": Language(
        numbers="een,één,enkele;twee;drie;vier;vijf;zes;zeven;acht;negen;tien;elf;twaalf",
        units=(
            "woord woorden",
            "zin zinnen",
            "alinea alinea's paragraaf paragrafen",
            "opsommingspunten bulletpoints bullets punten",
            "regel regels",
            "pagina pagina's",
            "teken tekens karakters",
        ),
        verbs="noem geef schrijf lijst som top bedenk maak genereer",
        reductions="vat vertaal lees verkort samenvatten",
        prepositions="in met van op schrijf alleen precies dan tot",
        before="de het dit dat deze die mijn heeft had is was waren zijn eerste laatste",
        at_most="maximaal hoogstens max minder onder",
        at_least="minstens minimaal meer",
        each="elk elke per ieder",
        yes_or_no="ja of nee|ja/nee",
        thousand="duizend",
        hundred="honderd",
        articles=True,
    ),
    "pl": Language(
        numbers="jeden,jedno,jedna,jednym,jednej,jedną;dwa,dwie,dwóch,dwoma;trzy,trzech,trzema;"
        "cztery,czterech;pięć,pięciu;sześć,sześciu;siedem,siedmiu;osiem,ośmiu;"
        "dziewięć,dziewięciu;dziesięć,dziesięciu;jedenaście;dwanaście,dwunastu",
        units=(
            "słowo słowa słów słowach słowem",
            "zdanie zdania zdań zdaniu zdaniach zdaniem",
            "akapit akapity akapitów akapitach akapicie",
            "punkt punkty punktów punktach podpunktach",
            "linijka linijki linijek wers wersy wersów",
            "strona strony stron stronę",
            "znak znaki znaków znakach",
        ),
        verbs="wymień podaj napisz wypisz zaproponuj top wylicz stwórz daj",
        reductions="streść podsumuj skróć przetłumacz przeczytaj",
        prepositions="w we na do napisz tylko dokładnie z o",
        before="te tych ten to moje moich ma miał miało było jest są pierwsze ostatnie",
        at_most="maksymalnie najwyżej mniej",
        at_least="minimum przynajmniej najmniej więcej",
        each="każdy każde każdego każdym każdej",
        yes_or_no="tak lub nie|tak czy nie|tak albo nie|tak/nie",
        thousand="tysiąc tysiące tysięcy",
        hundred="sto",
        tokens=2.2,
    ),
    "ru": Language(
        numbers="один,одно,одна,одним,одном,одной,одну;два,две,двух,двумя;три,трёх,трех,тремя;"
        "четыре,четырёх,четырех;пять,пяти,пятью;шесть,шести;семь,семи;восемь,восьми;"
        "девять,девяти;десять,десяти;одиннадцать,одиннадцати;двенадцать,двенадцати",
        units=(
            "слово слова слов словах словом словами",
            "предложение предложения предложений предложении предложениях предложением "
            "предложениями",
            "абзац абзаца абзацев абзаце абзацах",
            "пункт пункта пунктов пунктах тезисов тезиса",
            "строка строки строк строках строчки строчек",
            "страница страницы страниц страницу страницах",
            "символ символа символов знаков знака символах",
        ),
        verbs="перечисли перечислите назови назовите приведи приведите напиши напишите дай дайте "
        "предложи предложите составь топ придумай",
        reductions="сократи суммируй переведи прочитай перескажи изложи резюмируй",
        prepositions="в на из до напиши только ровно более менее одним одной двумя тремя",
        before="эти этих этот это мои моих был была было были имеет содержит первые последние",
        at_most="максимум менее меньше",
        at_least="минимум более больше",
        each="каждый каждое каждого каждом каждой каждому",
        yes_or_no="да или нет|да/нет",
        thousand="тысяча тысячи тысяч тысячу",
        hundred="сто",
        tokens=2.3,
    ),
    "uk": Language(
        numbers="один,одне,одна,одним,одному,одній,одну;два,дві,двох,двома;три,трьох,трьома;"
        "чотири,чотирьох;п'ять,пʼять,п’ять,п'яти,пʼяти,п’яти;шість,шести;сім,семи;вісім,восьми;"
        "дев'ять,девʼять,дев’ять;десять,десяти;одинадцять;дванадцять,дванадцяти",
        units=(
            "слово слова слів словах словом словами",
            "речення реченні реченнях реченням реченнями речень",
            "абзац абзаци абзаців абзаці абзацах",
            "пункт пункти пунктів пунктах",
            "рядок рядки рядків рядках",
            "сторінка сторінки сторінок сторінку",
            "символ символи символів знаків",
        ),
        verbs="перелічи перелічіть назви назвіть наведи наведіть напиши напишіть дай дайте топ "
        "запропонуй склади",
        reductions="скороти підсумуй переклади прочитай перекажи",
        prepositions="у в на з до напиши лише тільки рівно одним двома трьома",
        before="ці цих цей мої моїх був була було були має містить перші останні",
        at_most="максимум менше",
        at_least="мінімум більше щонайменше",
        each="кожен кожне кожного кожному кожній",
        yes_or_no="так чи ні|так або ні|так/ні",
        thousand="тисяча тисячі тисяч тисячу",
        hundred="сто",
        tokens=2.5,
    ),
    "tr": Language(
        numbers="bir,tek;iki;üç;dört;beş;altı;yedi;sekiz;dokuz;on;onbir;oniki",
        units=(
            "kelime kelimeyle kelimede kelimelik kelimeden sözcük sözcükle sözcüklük",
            "cümle cümleyle cümlede cümlelik cümleden cümlenin",
            "paragraf paragrafla paragrafta paragraflık",
            "madde maddede maddeyle maddeler maddelik",
            "satır satırda satırla satırlık dize",
            "sayfa sayfalık sayfada",
            "karakter karakterde karakterle karakterlik",
        ),
        verbs="listele sırala say yaz ver öner",
        reductions="özetle kısalt çevir oku",
        prepositions="",
        before="bu şu o benim ilk son olan",
        at_most="çok fazla",
        at_least="az",
        each="her",
        yes_or_no="evet veya hayır|evet ya da hayır|evet/hayır|evet mi hayır mı",
        thousand="bin",
        hundred="yüz",
        tokens=2.2,
    ),
    "ar": Language(
        numbers="واحد,واحدة;اثنين,اثنتين;ثلاث,ثلاثة;أربع,أربعة;خمس,خمسة;ست,ستة;سبع,سبعة;"
        "ثماني,ثمانية;تسع,تسعة;عشر,عشرة;أحد عشر;اثنا عشر",
        units=(
            "كلمة كلمات",
            "جملة جمل جملتين",
            "فقرة فقرات فقرتين",
            "نقاط نقطة",
            "سطر أسطر سطور أبيات",
            "صفحة صفحات صفحتين",
            "حرف حرفا حرفًا أحرف",
        ),
        verbs="اذكر عدد اكتب أعطني اعطني اقترح قدم سمّ",
        reductions="لخص ترجم اختصر اقرأ",
        prepositions="في من ب بـ اكتب فقط",
        before="هذه هذا تلك كان كانت كانوا هناك أول آخر",
        at_most="أقصى تتجاوز يتجاوز تزيد أقل",
        at_least="الأقل أكثر",
        each="لكل كل",
        yes_or_no="نعم أو لا|نعم أم لا|بنعم أو لا|نعم/لا",
        thousand="ألف آلاف",
        hundred="مئة مائة",
        tokens=2.3,
    ),
    "hi": Language(
        numbers="एक;दो;तीन;चार;पांच,पाँच;छह,छः;सात;आठ;नौ;दस;ग्यारह;बारह",
        units=(
            "शब्द शब्दों",
            "वाक्य वाक्यों",
            "अनुच्छेद अनुच्छेदों पैराग्राफ",
            "बिंदु बिंदुओं बिन्दुओं पॉइंट",
            "पंक्ति पंक्तियों पंक्तियाँ",
            "पृष्ठ पृष्ठों पेज",
            "अक्षर अक्षरों वर्णों",
        ),
        verbs="सूची बताओ बताइए दो लिखो लिखिए सुझाव",
        reductions="सारांश अनुवाद संक्षेप",
        prepositions="",
        before="यह ये इस इन मेरे पहले अंतिम था थे",
        at_most="अधिकतम",
        at_least="न्यूनतम अधिक",
        each="प्रत्येक हर",
        yes_or_no="हाँ या नहीं|हां या नहीं|हाँ/नहीं",
        thousand="हज़ार हजार",
        hundred="सौ",
        tokens=2.5,
    ),
    "vi": Language(
        numbers="một;hai;ba;bốn;năm;sáu;bảy;tám;chín;mười;mười một;mười hai",
        units=(
            "từ chữ",
            "câu",
            "đoạn",
            "gạch ý mục",
            "dòng",
            "trang",
            "ký kí",
        ),
        verbs="liệt kê kể nêu viết cho đưa đề top",
        reductions="tóm dịch đọc rút",
        prepositions="trong bằng với viết chỉ đúng dài khoảng",
        before="này những các có là đầu cuối",
        at_most="đa quá dưới",
        at_least="thiểu hơn",
        each="mỗi",
        yes_or_no="có hay không|có hoặc không|có/không",
        thousand="nghìn ngàn",
        hundred="trăm",
        tokens=1.4,
    ),
}
