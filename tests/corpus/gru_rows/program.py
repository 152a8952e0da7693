# -*- coding: utf-8 -*-
"""GRU de una capa, filas = ejemplos. Solo numpy.

    z = sigma(x Wz + h Uz + bz)
    r = sigma(x Wr + h Ur + br)
    g = tanh(x Wg + (r*h) Ug + bg)
    h' = (1-z)*h + z*g
Predicción: y = h_T Wy + by, costo = media del error cuadrático (/2).
"""
import numpy as np


def sigma(u):
    return 1.0 / (1.0 + np.exp(-u))


def inicializar(n_ent, n_oc, n_sal, semilla=7):
    rs = np.random.RandomState(semilla)
    P = {}
    for k in ('z', 'r', 'g'):
        P['W' + k] = rs.randn(n_ent, n_oc) * 0.2
        P['U' + k] = rs.randn(n_oc, n_oc) * 0.2
        P['b' + k] = np.zeros(n_oc)
    P['Wy'] = rs.randn(n_oc, n_sal) * 0.2
    P['by'] = np.zeros(n_sal)
    return P


def adelante(P, X):
    # X: (T, m, n_ent)
    h = np.zeros((X.shape[1], P['bz'].size))
    memoria = []
    for x in X:
        z = sigma(x.dot(P['Wz']) + h.dot(P['Uz']) + P['bz'])
        r = sigma(x.dot(P['Wr']) + h.dot(P['Ur']) + P['br'])
        g = np.tanh(x.dot(P['Wg']) + (r * h).dot(P['Ug']) + P['bg'])
        h_nuevo = (1 - z) * h + z * g
        memoria.append((x, h, z, r, g))
        h = h_nuevo
    y = h.dot(P['Wy']) + P['by']
    return y, h, memoria


def costo(y, D):
    return 0.5 * np.sum((y - D) ** 2) / len(D)


def atras(P, y, D, h, memoria):
    G = dict((k, np.zeros_like(v)) for k, v in P.items())
    dy = (y - D) / len(D)
    G['Wy'] = h.T.dot(dy)
    G['by'] = dy.sum(0)
    dh = dy.dot(P['Wy'].T)
    for x, h_ant, z, r, g in memoria[::-1]:
        dz = dh * (g - h_ant)
        dg = dh * z
        dh_ant = dh * (1 - z)

        dg_pre = dg * (1 - g ** 2)
        G['Wg'] += x.T.dot(dg_pre)
        G['Ug'] += (r * h_ant).T.dot(dg_pre)
        G['bg'] += dg_pre.sum(0)
        d_rh = dg_pre.dot(P['Ug'].T)
        dr = d_rh * h_ant
        dh_ant = dh_ant + d_rh * r

        dr_pre = dr * r * (1 - r)
        G['Wr'] += x.T.dot(dr_pre)
        G['Ur'] += h_ant.T.dot(dr_pre)
        G['br'] += dr_pre.sum(0)
        dh_ant = dh_ant + dr_pre.dot(P['Ur'].T)

        dz_pre = dz * z * (1 - z)
        G['Wz'] += x.T.dot(dz_pre)
        G['Uz'] += h_ant.T.dot(dz_pre)
        G['bz'] += dz_pre.sum(0)
        dh_ant = dh_ant + dz_pre.dot(P['Uz'].T)
        dh = dh_ant
    return G


def entrenar(X, D, n_oc=8, pasos=500, eta=0.1):
    P = inicializar(X.shape[2], n_oc, D.shape[1])
    for k in range(pasos):
        y, h, memoria = adelante(P, X)
        G = atras(P, y, D, h, memoria)
        for nombre in P:
            P[nombre] -= eta * G[nombre]
    return P
