# coding: utf8
"""
Réseau récurrent pour prédire la consommation d'eau (fichier csv)
"""
import csv
import numpy as np

ALPHA = 0.01
NB_NEURONES = 16
FENETRE = 10

def charger(nom):
    valeurs = []
    with open(nom, newline='') as f:
        lecteur = csv.DictReader(f)
        for ligne in lecteur:
            valeurs.append([float(ligne['debit']), float(ligne['temperature'])])
    v = np.array(valeurs)
    return (v - v.mean(0)) / v.std(0)

class Reseau:
    def __init__(self, entrees, caches, sorties):
        self.Pe = np.random.randn(caches, entrees) * 0.1
        self.Pr = np.random.randn(caches, caches) * 0.1
        self.Ps = np.random.randn(sorties, caches) * 0.1
        self.biais_c = np.zeros(caches)
        self.biais_s = np.zeros(sorties)

    def propager(self, suite):
        self.etats = [np.zeros(self.Pr.shape[0])]
        self.entrees = suite
        for e in suite:
            self.etats.append(np.tanh(self.Pe @ e + self.Pr @ self.etats[-1] + self.biais_c))
        return self.Ps @ self.etats[-1] + self.biais_s

    def retropropager(self, ecart):
        gPe, gPr = np.zeros_like(self.Pe), np.zeros_like(self.Pr)
        gc = np.zeros_like(self.biais_c)
        gPs = np.outer(ecart, self.etats[-1])
        gs = ecart
        delta = self.Ps.T @ ecart
        for k in range(len(self.entrees), 0, -1):
            local = delta * (1 - self.etats[k] ** 2)
            gPe += np.outer(local, self.entrees[k - 1])
            gPr += np.outer(local, self.etats[k - 1])
            gc += local
            delta = self.Pr.T @ local
        return gPe, gPr, gPs, gc, gs

    def corriger(self, gradients, pas):
        gPe, gPr, gPs, gc, gs = gradients
        self.Pe -= pas * gPe
        self.Pr -= pas * gPr
        self.Ps -= pas * gPs
        self.biais_c -= pas * gc
        self.biais_s -= pas * gs

def entrainer():
    donnees = charger('eau.csv')
    r = Reseau(2, NB_NEURONES, 1)
    for tour in range(40):
        somme = 0
        for d in range(len(donnees) - FENETRE):
            sortie = r.propager(donnees[d:d + FENETRE])
            ecart = sortie - donnees[d + FENETRE, :1]
            somme += 0.5 * np.sum(ecart ** 2)
            r.corriger(r.retropropager(ecart), ALPHA)
        print(tour, somme)

if __name__ == '__main__':
    entrainer()
