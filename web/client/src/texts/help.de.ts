/** Die Hilfe im Produkt. */
import type { HelpTopic } from "./help.en";

export const help: HelpTopic[] = [
  { id: "first", title: "Erste Schritte", text: ["Drücken Sie Strg K (⌘ K am Mac) und tippen Sie drei Buchstaben eines Namens. Enter öffnet die Unterhaltung: schreiben, Enter sendet.", "Nehmen Sie Menschen, mit denen Sie arbeiten, in Ihre Kontakte auf: Person öffnen, „Zu Kontakten hinzufügen“. Der Stern macht einen Favoriten; Favoriten stehen oben."] },
  { id: "status", title: "Was die Zeichen für den Status bedeuten", text: ["Grüne Scheibe: verfügbar. Halber grüner Ring: eine Weile hat niemand das Gerät berührt. Rote Scheibe: beschäftigt, im Gespräch oder in einer Besprechung; das Wort daneben sagt, was. Dunkelrote Scheibe mit Balken: möchte nicht gestört werden. Gelbe Uhr: abwesend oder gleich zurück. Grauer Ring: offline. Gestrichelter Ring: der Server weiß es nicht, oder Sie dürfen es nicht sehen.", "Ihr eigener Status folgt Geräten, Anrufen und Kalender, solange er auf „Automatisch“ steht. Was Sie selbst wählen, bleibt, bis Sie wieder „Automatisch“ wählen. Bei „Nicht stören“ erreicht Sie nur Ihre Arbeitsgruppe sofort."] },
  { id: "marks", title: "Was die Zeichen an einer Nachricht bedeuten", text: ["Uhr: sie wartet auf die Verbindung oder ist unterwegs. Ein Haken: der Server hat sie und bewahrt sie auf. Zwei Haken: sie hat ein Gerät erreicht. „Gelesen“: sie stand auf dem Bildschirm. Bei mehreren Personen gilt ein Zeichen, wenn es für alle stimmt.", "Eine Nachricht an jemanden, der offline ist, wird aufbewahrt und der Reihe nach an jedes seiner Geräte zugestellt."] },
  { id: "privacy", title: "Was andere von Ihnen sehen", text: ["Jede Person steht in einer Beziehung zu Ihnen, und jede Beziehung sieht verschieden viel: öffnen Sie eine Person und sehen Sie unter den Einzelheiten nach. Blockierte sehen Sie als offline und erreichen Sie nicht; niemand sagt es ihnen.", "In den Einstellungen können Sie Ihren Status allein Ihren Kontakten zeigen."] },
  { id: "offline", title: "Wenn die Verbindung weg ist", text: ["Eine Zeile oben sagt es. Sie können weiter lesen und schreiben: was Sie schreiben, geht von selbst hinaus, sobald die Verbindung wieder da ist, einmal und der Reihe nach. Die Zeile sagt dann, wie lange es gedauert hat. Beim Status steht, von wann er ist.", "Bleibt es so: prüfen Sie zuerst Ihr Netz. Geht es Kollegen ebenso, startet der Server vielleicht neu."] },
  { id: "calls", title: "Anrufe", text: ["Das Telefon neben einem Namen ruft an, die Kamera daneben mit Bild. Unter „Anrufe“ wählen Sie eine Nummer oder einen Namen und finden, was war: Verpasste Anrufe sind hervorgehoben, bis Sie die Liste gesehen haben.", "Ein Anruf steht oben, wo immer Sie sind. Dort schalten Sie Mikrofon und Kamera, teilen den Bildschirm, halten, drücken Tasten und verbinden weiter: sofort, oder nach einer Rückfrage. Wer einen zweiten Anruf annimmt, hält den ersten.", "Die Balken sagen, was das Netz tut: nichts, bis man es weiß, dann gut, nicht so gut oder schlecht. Ein Druck zeigt die Zahlen. Wechselt das Netz mitten im Anruf, wird von selbst ein neuer Weg gesucht.", "Mikrofon, Lautsprecher und Kamera wählen und testen Sie in den Einstellungen; dort können Sie auch alles über das Relais des Servers senden."] },
  { id: "notifications", title: "Benachrichtigungen auf dem Desktop", text: ["Sie kommen für Nachrichten, auf die Sie gerade nicht sehen, und nie bei „Nicht stören“. Erlauben Sie sie in den Einstellungen; der Browser fragt einmal. Den Text der Nachrichten können Sie weglassen."] },
];

export const keys: [keys: string[], does: string][] = [
  [["Strg", "K"], "Person, Unterhaltung oder Befehl finden"],
  [["↑", "↓"], "In einer Liste bewegen"],
  [["Enter"], "Öffnen; im Schreibfeld: senden"],
  [["Umschalt", "Enter"], "Neue Zeile in einer Nachricht"],
  [["Esc"], "Schließen oder eine Suche leeren"],
  [["Tab"], "Zum nächsten Teil der Seite"],
  [["M"], "Im Anruf: Mikrofon aus und ein"],
  [["V"], "Im Anruf: Kamera ein und aus"],
  [["H"], "Im Anruf: halten und fortsetzen"],
  [["S"], "Im Anruf: Bildschirm teilen"],
  [["F6"], "Zum Anruf"],
];
